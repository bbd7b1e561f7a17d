import type { AskFacts } from '../../core/ports.ts';
import { ReplicaSource } from '../../core/waves.ts';
import { askFacts, beginSnapshot } from './ask-facts.ts';
import type { Connection } from './connection.ts';
import { oneValue, openSession } from './session.ts';
import type { ToolOptions } from './tools.ts';

/** One state of a database, held until it is closed. */
export interface Snapshot {
  /** What `pg_dump --snapshot` takes, while this is open. */
  readonly id: string;
  /** Such as `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly serverVersion: string;
  /** Of the database on its disk, indexes included: a rough bound for progress. */
  readonly bytes: number;
  readonly ask: AskFacts;
  /** Never rejects. May be called again. */
  close(): Promise<void>;
}

/** Rejects with a named `CaptureFailed`, or `ReplicaSource`: a replica may lag unseen, which would break the order. */
export async function openSnapshot(connection: Connection, options: ToolOptions): Promise<Snapshot> {
  const session = await openSession(connection, options);
  try {
    if ((await oneValue(session, 'SELECT pg_is_in_recovery()')) === 't') {
      throw new ReplicaSource(connection.database, { instance: `${connection.host}:${connection.port}` });
    }
    await beginSnapshot(session);
    return {
      id: await oneValue(session, 'SELECT pg_export_snapshot()'),
      serverVersion: await oneValue(session, "SELECT current_setting('server_version')"),
      bytes: Number(await oneValue(session, 'SELECT pg_database_size(current_database())')),
      ask: askFacts(session),
      close: session.close,
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}
