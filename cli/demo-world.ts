import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findAnvil } from '../demo/anvil.ts';
import { type DemoChain, startDemoChain } from '../demo/chain.ts';
import {
  APP_URL_VARIABLE,
  demoConfig,
  GENESIS_FILE,
  PARTICIPANT_URL_VARIABLE,
  SECRET_VARIABLE,
} from '../demo/config.ts';
import {
  APP_DATABASE,
  type Engine,
  PARTICIPANT_DATABASE,
  type PgliteEngine,
  startPgliteEngine,
  startPostgresEngine,
} from '../demo/engines.ts';
import { type DemoNetwork, startDemoNetwork } from '../demo/network.ts';
import { ageIdentity } from '../io/age.ts';
import { connectionOf } from '../io/postgres/connection.ts';
import { dumpPglite, PLAIN_DUMP } from '../io/postgres/pglite-dump.ts';
import { NoPostgresTools } from '../io/postgres/tool-folder.ts';
import { createKeyFile } from '../local/key-file-signer.ts';
import type { Dumper } from './database-capture.ts';
import type { Shell } from './shell.ts';

/** Where the demo keeps what one can go on looking at; relative to where it was started. */
export const DEMO_FOLDER = '.ledgerhold/demo';
export const DEMO_FILES = {
  config: `${DEMO_FOLDER}/ledgerhold.yaml`,
  vault: `${DEMO_FOLDER}/vault`,
  publicKey: `${DEMO_FOLDER}/public-key.pem`,
  identity: `${DEMO_FOLDER}/identity.txt`,
} as const;

/** A toy validator at work, a chain, and a config that backs them up. */
export interface DemoWorld {
  readonly network: DemoNetwork;
  /** Undefined where npm has brought no node for one. */
  readonly chain?: DemoChain;
  /** For the verbs: with the demo's config, and the secrets it names. */
  readonly shell: Shell;
  /** Where there is no `pg_dump`. */
  readonly dumper?: Dumper;
  stop(): Promise<void>;
}

/** Enough that progress can be seen, and little enough for a minute in all. */
const LOAD = { postgres: { megabytes: 32, updatesPerSecond: 100 }, pglite: { megabytes: 1, updatesPerSecond: 50 } };

/** Replaces what an earlier demo has left. Whoever calls stops the world. PGlite is used where PostgreSQL is not. */
export async function startDemoWorld(shell: Shell, withoutPostgres: boolean): Promise<DemoWorld> {
  const folder = join(shell.cwd, DEMO_FOLDER);
  const recipient = await emptyFolder(shell, folder);
  const engine = withoutPostgres ? await startPgliteEngine() : await startEngine(shell);
  const network = await startDemoNetwork({ engine, ...LOAD[engine.kind], now: () => shell.clock.now() });
  let chain: DemoChain | undefined;
  const stop = async () => {
    try {
      await chain?.stop();
    } finally {
      await network.stop();
    }
  };
  try {
    chain = await startChain(shell, join(folder, GENESIS_FILE));
    await writeFile(join(shell.cwd, DEMO_FILES.config), demoConfig(network, recipient, chain));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ network, stop, shell: configured(shell, network) },
    ...(chain && { chain }),
    ...(engine.kind === 'pglite' ? { dumper: pgliteDumper(engine, network) } : {}),
  };
}

/** With keys of this demo's alone; resolves to whom to encrypt to. */
async function emptyFolder({ cwd }: Shell, folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { identity, recipient } = await ageIdentity();
  await writeFile(join(cwd, DEMO_FILES.identity), `${identity}\n`, { mode: 0o600 });
  await writeFile(join(cwd, DEMO_FILES.publicKey), await createKeyFile(join(folder, 'signing-key.pem')));
  return recipient;
}

const configured = (shell: Shell, network: DemoNetwork): Shell => ({
  ...shell,
  flags: { ...shell.flags, config: DEMO_FILES.config },
  env: { ...shell.env, ...secretsOf(network) },
});

async function startChain({ signal }: Shell, genesis: string): Promise<DemoChain | undefined> {
  const binary = findAnvil(import.meta.url);
  return binary === undefined ? undefined : startDemoChain({ binary, genesis, signal });
}

async function startEngine({ signal }: Shell): Promise<Engine> {
  try {
    return await startPostgresEngine(signal);
  } catch (error) {
    if (error instanceof NoPostgresTools) return startPgliteEngine();
    throw error;
  }
}

function secretsOf({ engine, client }: DemoNetwork): Record<string, string> {
  // A PGlite has no address: what stands for one names it in receipts, and is never called.
  const url = (database: string) =>
    engine.kind === 'postgres' ? engine.server.url(database) : `postgres://demo@in-this-process/${database}`;
  return {
    [SECRET_VARIABLE]: client.clientSecret,
    [APP_URL_VARIABLE]: url(APP_DATABASE),
    [PARTICIPANT_URL_VARIABLE]: url(PARTICIPANT_DATABASE),
  };
}

const pgliteDumper = ({ app, participant }: PgliteEngine, { load }: DemoNetwork): Dumper => ({
  content: PLAIN_DUMP,
  does: (source) => `plain dump of ${connectionOf(source).database}, a PGlite in this process`,
  dump: (component, _source, options) =>
    load.standingStill(() => dumpPglite(component === 'participant' ? participant : app, options)),
});
