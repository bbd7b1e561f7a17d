import { CaptureFailed } from '../../core/receipts.ts';
import type { Connection } from './connection.ts';
import { openPsqlSession } from './psql-session.ts';
import { openTcpSession } from './tcp-session.ts';
import type { ToolOptions } from './tools.ts';

/** A value as PostgreSQL's text output; null is NULL. */
export type SqlRow = readonly (string | null)[];

/** One connection held open. After a failure it is of no more use. All reject with a named `CaptureFailed`. */
export interface Session {
  run(command: string): Promise<void>;
  /** `query` is a SELECT without a semicolon, whose rows fit in memory. */
  rows(query: string): Promise<SqlRow[]>;
  /** Never rejects; what was begun is rolled back by the server. May be called again. */
  close(): Promise<void>;
}

/** Connects by TCP or a socket; behind a command, by a `psql` held open there. */
export const openSession = (connection: Connection, options: ToolOptions): Promise<Session> =>
  connection.via.length > 0 ? openPsqlSession(connection, options) : openTcpSession(connection);

/** The one value that a query gives. */
export async function oneValue(session: Session, query: string): Promise<string> {
  const value = (await session.rows(query))[0]?.[0];
  if (value === undefined || value === null) throw new CaptureFailed(`no answer to ${query}`, 'Run again.');
  return value;
}

/** A text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
