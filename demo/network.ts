import { randomBytes } from 'node:crypto';
import { type CausalLoad, startCausalLoad } from './causal-load.ts';
import { createDemoDatabases, fillHistory } from './databases.ts';
import type { Engine } from './engines.ts';
import { type OAuthServer, startOAuthServer } from './oauth-server.ts';
import { type DemoParticipant, demoParticipant } from './participant.ts';
import { startValidatorEndpoint, type ValidatorEndpoint } from './validator-endpoint.ts';

export interface NetworkOptions {
  readonly engine: Engine;
  /** Of history that a dump has to carry. */
  readonly megabytes: number;
  readonly updatesPerSecond: number;
  readonly who?: DemoParticipant;
  readonly now: () => Date;
}

/** A toy validator at work: databases, load, and the two services that a backup calls. */
export interface DemoNetwork {
  readonly engine: Engine;
  readonly who: DemoParticipant;
  readonly load: CausalLoad;
  readonly oauth: OAuthServer;
  readonly endpoint: ValidatorEndpoint;
  /** What the client credentials grant wants. */
  readonly client: { readonly clientId: string; readonly clientSecret: string; readonly audience: string };
  /** Stops everything, the engine too. Rejects if the load had failed. */
  stop(): Promise<void>;
}

export async function startDemoNetwork(options: NetworkOptions): Promise<DemoNetwork> {
  const { engine, now } = options;
  const stops: (() => Promise<void>)[] = [engine.stop];
  // The last started first; each is stopped, whatever the others say.
  const stop = async () => {
    const failures: unknown[] = [];
    for (let end = stops.pop(); end !== undefined; end = stops.pop()) {
      await end().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    const who = options.who ?? demoParticipant('demo-validator');
    await createDemoDatabases(engine.databases, who);
    await fillHistory(engine.databases.participant, options.megabytes, now());
    const client = {
      clientId: 'ledgerhold-demo',
      clientSecret: randomBytes(24).toString('base64url'),
      audience: 'https://validator.demo.localhost',
    };
    const oauth = await startOAuthServer({ ...client, now });
    stops.push(oauth.stop);
    const endpoint = await startValidatorEndpoint({ participant: who, accepts: oauth.accepts });
    stops.push(endpoint.stop);
    const load = await startCausalLoad({ ...engine.databases, updatesPerSecond: options.updatesPerSecond, now });
    stops.push(load.stop);
    return { engine, who, load, oauth, endpoint, client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
