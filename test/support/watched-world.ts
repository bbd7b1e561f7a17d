import { createPublicKey } from 'node:crypto';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { jest } from '@jest/globals';
import { keyFault } from '../../aws/key-states.ts';
import { kmsSigner } from '../../aws/kms-signer.ts';
import { s3Client } from '../../aws/s3-client.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import { secretState } from '../../aws/secret-states.ts';
import { snapshotQuotaUsed, snapshotShelf } from '../../aws/snapshot-shelf.ts';
import { NetworkName } from '../../core/names.ts';
import type { Vault } from '../../core/vault.ts';
import { emfGauges } from '../../lambdas/emf-gauges.ts';
import { powertoolsJournal } from '../../lambdas/journal.ts';
import { serve } from '../../lambdas/serve.ts';
import { WatchedNode, watchdog } from '../../lambdas/watchdog/contract.ts';
import { run, type WatchdogPorts } from '../../lambdas/watchdog/run.ts';
import { startAwsAccount } from '../fakes/aws-account.ts';
import { startFaultyS3 } from '../fakes/faulty-s3.ts';
import { fakeRds } from '../fakes/rds.ts';
import { type Datapoint, embeddedMetrics } from './alarm-state.ts';
import { newKeys, toyProtocol } from './toy-sets.ts';
import { CREDENTIALS } from './watched-stack.ts';

export const KEYS = ['signing', 'envelope', 'bucket'].map((id) => `arn:aws:kms:eu-central-1:111111111111:key/${id}`);
export const IDENTITIES_KEY = 'arn:aws:kms:eu-central-1:111111111111:key/identities';
export const IDENTITIES = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:identities-AbCdEf';

export const watchedToy = (node = 'toy-1'): WatchedNode =>
  WatchedNode.parse({
    ...{ node, everySeconds: 14_400, timeZone: 'UTC', components: ['app', 'ledger'] },
    ...{ credentials: [CREDENTIALS], identities: IDENTITIES },
  });

/** A deployed watchdog but for the deployment: its ports are those of AWS, over HTTP, and its numbers those of its log. */
export async function watchedWorld(nodes: readonly WatchedNode[] = [watchedToy()]) {
  const [s3, account, keys] = [await startFaultyS3(), await startAwsAccount(), newKeys()];
  const at = { region: 'eu-central-1', credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } };
  const there = { ...at, endpoint: account.endpoint, maxAttempts: 1 };
  const client = s3Client({ ...at, endpoint: s3.endpoint });
  const vault = s3Vault({ client, bucket: 'bucket', prefix: 'toy-net', account: '111111111111' });
  const der = createPublicKey(keys.publicKey).export({ type: 'spki', format: 'der' });
  for (const arn of [...KEYS, IDENTITIES_KEY]) account.keys.set(arn, { state: 'Enabled', publicKey: der });
  for (const arn of [CREDENTIALS, IDENTITIES]) account.secrets.set(arn, { versions: { one: ['AWSCURRENT'] } });
  const rds = fakeRds({ now: () => world.now });
  const rdsServer = await rds.serve({ maxAttempts: 1 });
  const world = { s3, account, rds, keys, vault: vault as Vault, now: new Date('2026-11-01T08:10:00Z') };
  const [kms, secrets] = [new KMSClient(there), new SecretsManagerClient(there)];
  const portsOf = (): WatchdogPorts => ({
    ...{ vault: world.vault, clock: { now: () => world.now }, protocolNamed: () => toyProtocol, keys: KEYS },
    ...{ gauges: emfGauges(), journal: powertoolsJournal(), heads: new Map<string, number>() },
    publicKeyPem: kmsSigner(kms, KEYS[0] ?? '').publicKeyPem,
    keyFault: (arn) => keyFault(kms, arn),
    secretState: (arn) => secretState(secrets, arn),
    snapshotShelf: (prefix) => snapshotShelf(rdsServer.client, prefix),
    snapshotQuotaUsed: () => snapshotQuotaUsed(rdsServer.client),
  });
  const environment = Object.fromEntries(watchdog.env.map((name) => [name, '']));
  const handler = serve(watchdog, run, portsOf, environment);
  const network = NetworkName.parse('toy-net');
  /** One turn: all that it emitted, and all that it logged. */
  const turn = async (): Promise<{ metrics: Datapoint[]; log: string[] }> => {
    const lines = await written(() =>
      handler({ network, snapshots: true, ofNetwork: true, nodes, keys: [IDENTITIES_KEY] }),
    );
    return { metrics: embeddedMetrics(lines), log: lines.filter((line) => !line.includes('"_aws"')) };
  };
  const stop = async () => void (await Promise.all([s3.stop(), account.stop(), rdsServer[Symbol.asyncDispose]()]));
  return Object.assign(world, { turn, stop });
}

export type WatchedWorld = Awaited<ReturnType<typeof watchedWorld>>;

/** The lines that `act` writes, whether it fails or not. */
async function written(act: () => Promise<unknown>): Promise<string[]> {
  const chunks: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => chunks.push(String(text)) > 0),
  );
  try {
    await act();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return chunks
    .join('')
    .split('\n')
    .filter((line) => line !== '');
}
