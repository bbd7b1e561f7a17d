import pg from 'pg';
import { APP_DATABASE, PARTICIPANT_DATABASE, startPostgresEngine } from '../../demo/engines.ts';
import { type DemoNetwork as Network, type NetworkOptions, startDemoNetwork } from '../../demo/network.ts';
import type { ThrowawayPostgres } from '../../io/postgres/server.ts';

export interface DemoNetwork extends Network {
  readonly server: ThrowawayPostgres;
  readonly appUrl: string;
  readonly participantUrl: string;
  /** Ends the load and its connections: the databases are in nobody's use any more. */
  halt(): Promise<void>;
}

/** A toy validator at work on a PostgreSQL of its own. */
export async function demoNetwork(options: Partial<NetworkOptions> = {}): Promise<DemoNetwork> {
  const engine = await startPostgresEngine();
  const { server } = engine;
  const network = await startDemoNetwork({
    megabytes: 1,
    updatesPerSecond: 200,
    now: () => new Date(),
    ...options,
    engine,
  });
  return {
    ...network,
    server,
    appUrl: server.url(APP_DATABASE),
    participantUrl: server.url(PARTICIPANT_DATABASE),
    halt: async () => {
      await network.load.stop();
      await engine.disconnect();
    },
  };
}

export async function connectTo(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  // A connection that ends between two queries is told of by the next query.
  client.on('error', () => {});
  await client.connect();
  return client;
}
