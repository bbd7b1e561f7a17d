import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OAuthServer } from '../../demo/oauth-server.ts';
import type { DemoParticipant } from '../../demo/participant.ts';
import type { ValidatorEndpoint } from '../../demo/validator-endpoint.ts';
import { ageIdentity } from '../../io/age.ts';
import { createKeyFile } from '../../local/key-file-signer.ts';
import { type DemoNetwork, demoNetwork } from './demo-network.ts';

export const PROGRAM = join(import.meta.dirname, '../../dist/ledgerhold.js');

export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The object of `--json`, the last thing on stdout. */
  readonly json: Record<string, unknown> & {
    readonly ok?: boolean;
    readonly code?: string;
    readonly error?: { readonly name: string; readonly message: string; readonly remedy: string };
  };
}

/** A toy validator at work, and a folder from which the built program backs it up. */
export interface CliWorld {
  readonly folder: string;
  readonly network: DemoNetwork;
  readonly oauth: OAuthServer;
  readonly validator: ValidatorEndpoint;
  readonly secret: string;
  readonly env: Record<string, string>;
  /** The folder's ledgerhold.yaml. */
  readonly yaml: string;
  /** Starts `ledgerhold … --json` there. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Said>;
  /** Another config in the same folder; returns its name. */
  config(name: string, yaml: string): Promise<string>;
  stop(): Promise<void>;
}

export interface CliWorldOptions {
  readonly who?: DemoParticipant;
  readonly megabytes?: number;
  readonly dir?: string;
}

export async function cliWorld(options: CliWorldOptions = {}): Promise<CliWorld> {
  const network = await demoNetwork(options);
  const folder = await mkdtemp(join(options.dir ?? tmpdir(), 'ledgerhold-cli-'));
  const stop = async () => {
    await network.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return await worldIn(folder, network, stop);
  } catch (error) {
    // The servers would keep the process alive.
    await stop();
    throw error;
  }
}

async function worldIn(folder: string, network: DemoNetwork, stop: () => Promise<void>): Promise<CliWorld> {
  const { oauth, endpoint: validator, client } = network;
  const age = await ageIdentity();
  await writeFile(join(folder, 'identity.txt'), `${age.identity}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'public-key.pem'), await createKeyFile(join(folder, 'signing-key.pem')));
  const env = {
    VALIDATOR_SECRET: client.clientSecret,
    VALIDATOR_DB_URL: network.appUrl,
    PARTICIPANT_DB_URL: network.participantUrl,
  };
  const yaml = `network: acme
vault: { folder: ./vault }
encryption: { recipients: [${age.recipient}] }
signing: { keyFile: ./signing-key.pem }
nodes:
  - name: validator-1
    protocol: splice
    identities:
      url: ${validator.url}
      auth:
        tokenUrl: ${oauth.tokenUrl}
        clientId: ${client.clientId}
        clientSecret: { env: VALIDATOR_SECRET }
        audience: ${client.audience}
    components:
      validator-app: { postgres: { url: { env: VALIDATOR_DB_URL } } }
      participant: { postgres: { url: { env: PARTICIPANT_DB_URL } } }
`;
  await writeFile(join(folder, 'ledgerhold.yaml'), yaml);
  const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    spawn(process.execPath, [PROGRAM, ...args, '--json'], { cwd: folder, env: { ...process.env, ...env, ...more } });
  return {
    ...{ folder, network, oauth, validator, secret: client.clientSecret, env, yaml, start, stop },
    run: (args, more) => ended(start(args, more)),
    config: async (name, text) => {
      await writeFile(join(folder, name), text);
      return name;
    },
  };
}

export async function ended(child: ChildProcess): Promise<Said> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  const status = await promise;
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { status, stdout, stderr, json: line.startsWith('{') ? JSON.parse(line) : {} };
}

export const readText = (world: CliWorld, name: string): Promise<string> => readFile(join(world.folder, name), 'utf8');
