import type { PGlite } from '@electric-sql/pglite';
import type { FactQuery, Facts } from '../../core/facts.ts';
import { askFacts, beginSnapshot } from './ask-facts.ts';
import { textOfBytes, unescapeCopy } from './copy-text.ts';
import { openDatabaseServer } from './database-server.ts';
import { UnsupportedDump } from './errors.ts';
import { PLAIN_DUMP } from './pglite-dump.ts';
import { factsOf, type RestoreOptions, restoreDump } from './restore.ts';
import { startThrowawayPostgres, type ThrowawayOptions } from './server.ts';
import type { Session } from './session.ts';
import type { ToolOptions } from './tools.ts';

/** A server that nobody else knows, to restore dumps into and to ask them. All is gone when it stops. */
export interface IsolatedServer {
  /** For people: such as `PostgreSQL 15.18`. */
  readonly title: string;
  /** Makes the database and restores the dump into it. Rejects as `restoreDump` does. */
  restore(database: string, content: string, dump: AsyncIterable<Uint8Array>, options: RestoreOptions): Promise<void>;
  facts(database: string, queries: readonly FactQuery[]): Promise<Facts>;
  /** May be called again. */
  stop(): Promise<void>;
}

/** Rejects with `NoPostgresTools` or `ThrowawayPostgresFailed`. */
export async function isolatedPostgres(options: ThrowawayOptions & ToolOptions): Promise<IsolatedServer> {
  const server = await startThrowawayPostgres(options);
  const source = { url: server.url('postgres'), tools: server.tools };
  return {
    title: `PostgreSQL ${server.version}`,
    restore: async (database, content, dump, how) => {
      const databases = await openDatabaseServer(source, options);
      try {
        await databases.create(database, 'postgres');
      } finally {
        await databases.close();
      }
      await restoreDump(source, database, content, dump, how);
    },
    facts: (database, queries) => factsOf(source, database, queries, options),
    stop: server.stop,
  };
}

/** PostgreSQL in this process, for plain dumps that fit in memory, where no server is installed. */
export async function isolatedPglite(): Promise<IsolatedServer> {
  // Loaded here: only a machine without PostgreSQL needs it.
  const { PGlite: Engine } = await import('@electric-sql/pglite');
  const databases = new Map<string, PGlite>();
  return {
    title: 'PGlite, in this process',
    restore: async (name, content, dump, { onBytes, signal }) => {
      if (content !== PLAIN_DUMP) throw new UnsupportedDump(`${content} needs a PostgreSQL, and none is installed`);
      const bytes = Buffer.concat(await Array.fromAsync(dump));
      signal?.throwIfAborted();
      const database = await Engine.create();
      databases.set(name, database);
      await database.exec(bytes.toString());
      onBytes?.(bytes.length);
    },
    facts: async (name, queries) => {
      const database = databases.get(name);
      if (database === undefined) throw new TypeError(`nothing was restored as ${name}`);
      const session = pgliteSession(database);
      await beginSnapshot(session);
      const facts = await askFacts(session)(queries);
      await session.run('ROLLBACK');
      return facts;
    },
    stop: async () => {
      await Promise.all([...databases.values()].map((database) => database.close()));
      databases.clear();
    },
  };
}

/** COPY gives values as the server writes them, where a query would give them as JavaScript's. */
function pgliteSession(database: PGlite): Session {
  return {
    run: async (command) => void (await database.exec(command)),
    rows: async (query) => {
      const { blob } = await database.query(`COPY (${query}) TO '/dev/blob'`);
      const text = Buffer.from((await blob?.arrayBuffer()) ?? new ArrayBuffer(0)).toString('latin1');
      const lines = text.split('\n').slice(0, -1);
      return lines.map((line) => line.split('\t').map((raw) => textOf(unescapeCopy(raw))));
    },
    close: async () => {},
  };
}

const textOf = (value: string | null): string | null => (value === null ? null : textOfBytes(value));
