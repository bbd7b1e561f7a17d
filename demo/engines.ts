import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../io/postgres/server.ts';
import { type DemoDatabases, sqlOf } from './databases.ts';

/** Both databases on a PostgreSQL of one's own. */
export interface PostgresEngine {
  readonly kind: 'postgres';
  readonly server: ThrowawayPostgres;
  readonly databases: DemoDatabases;
  /** Ends our own connections, as if the node had been stopped; the server stays. */
  disconnect(): Promise<void>;
  stop(): Promise<void>;
}

/** Each database a PostgreSQL in this process, where none is installed. */
export interface PgliteEngine {
  readonly kind: 'pglite';
  readonly app: PGlite;
  readonly participant: PGlite;
  readonly databases: DemoDatabases;
  stop(): Promise<void>;
}

export type Engine = PostgresEngine | PgliteEngine;

/** What a Splice validator on compose calls its databases. */
export const APP_DATABASE = 'validator';
export const PARTICIPANT_DATABASE = 'participant';

/** Rejects with `NoPostgresTools` where PostgreSQL's server is not installed. */
export async function startPostgresEngine(signal?: AbortSignal): Promise<PostgresEngine> {
  const server = await startThrowawayPostgres(signal === undefined ? {} : { signal });
  const clients: pg.Client[] = [];
  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.url(database) });
    // A connection that ends between two queries is told of by the next query.
    client.on('error', () => {});
    await client.connect();
    clients.push(client);
    return client;
  };
  const disconnect = async () => void (await Promise.all(clients.map((client) => client.end().catch(() => {}))));
  const stop = async () => {
    await disconnect();
    await server.stop();
  };
  try {
    const admin = await connect('postgres');
    for (const database of [APP_DATABASE, PARTICIPANT_DATABASE]) await admin.query(`CREATE DATABASE ${database}`);
    const [app, participant] = [await connect(APP_DATABASE), await connect(PARTICIPANT_DATABASE)];
    return {
      kind: 'postgres',
      server,
      databases: { app: sqlOf(app), participant: sqlOf(participant) },
      disconnect,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function startPgliteEngine(): Promise<PgliteEngine> {
  // Loaded here: it is 24 MB that only a machine without PostgreSQL needs.
  const { PGlite } = await import('@electric-sql/pglite');
  const [app, participant] = [await PGlite.create(), await PGlite.create()];
  const stop = async () => void (await Promise.all([app.close(), participant.close()]));
  return { kind: 'pglite', app, participant, databases: { app, participant }, stop };
}
