import { rdsCopier } from '../../aws/snapshot-copier.ts';
import { type Instant, NodeName } from '../../core/names.ts';
import type { About } from '../../core/ports.ts';
import { copyOrder, type LackingSnapshot, SnapshotCopy } from '../../core/snapshot-copies.ts';
import type { SnapshotReference } from '../../core/snapshots.ts';
import { acceptOutput } from '../../core/step.ts';
import { copySnapshots } from '../../lambdas/copy-snapshots/contract.ts';
import { run } from '../../lambdas/copy-snapshots/run.ts';
import { run as finishCapture } from '../../lambdas/finish-capture/run.ts';
import { run as planWaves } from '../../lambdas/plan-waves/run.ts';
import { run as startCapture } from '../../lambdas/start-capture/run.ts';
import { readDocument } from '../../vault/documents.ts';
import { lackingCopies } from '../../vault/lacking-copies.ts';
import { copyKey } from '../../vault/layout.ts';
import { manifestSeqs, readManifest } from '../../vault/sets.ts';
import { readSnapshotReference } from '../../vault/snapshot-reference.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { fakeRds } from '../fakes/rds.ts';
import { snapshotCaptures } from './snapshot-sets.ts';
import { newKeys, toyRun, toySteps } from './toy-sets.ts';

export const FIRST = '111111111111';
export const SECOND = '222222222222';
export const KEY = `arn:aws:kms:eu-central-1:${FIRST}:key/11111111-1111-1111-1111-111111111111`;

const kinds = { app: 'instance', ledger: 'cluster' } as const;
const keys = newKeys();

/** Two accounts, each with its vault and its RDS; sets of two snapshots, of an instance and of a cluster. */
export function twoAccounts({ account = SECOND, region = 'eu-west-1' } = {}) {
  let time = Date.parse('2026-11-01T00:00:00Z');
  const now = () => new Date(time);
  const [here, there] = [fakeRds({ now }), fakeRds({ now, account, region })];
  there.world.elsewhere.push(here.world);
  here.addInstance('db-app', { KmsKeyId: KEY });
  here.addCluster('db-ledger', { KmsKeyId: KEY });
  const [vault, second] = [new MemoryVault(), new MemoryVault()];
  const key = `arn:aws:kms:${region}:${account}:alias/ledgerhold-toy-net_Second`;
  const copier = rdsCopier({
    ...{ here: here.client({ maxAttempts: 1 }), there: there.client({ maxAttempts: 1 }), key },
    shareWith: account === FIRST ? undefined : account,
  });
  const notes: [string, About][] = [];
  const failures: About[] = [];
  const journal = {
    note: (what: string, about: About) => void notes.push([what, about]),
    failure: (_: string, about: About) => void failures.push(about),
  };
  const look = async (minutes = 20, lacking?: readonly LackingSnapshot[]) => {
    const snapshots = [...(lacking ?? (await lackingCopies(vault, second, 100)))];
    const lookUntil = new Date(time + minutes * 60_000).toISOString() as Instant;
    const ports = { vault, second, copier, clock: { now }, journal };
    return acceptOutput(copySnapshots, await run({ snapshots, lookUntil }, ports));
  };
  return {
    ...{ here, there, vault, second, keys, key, notes, failures, look, now },
    pass: (seconds: number) => void (time += seconds * 1000),
    seal: async (slot: string, kmsKey: string | null = KEY) => seal(slot, { here, vault, now, kmsKey }),
    shared: () => [...here.world.shared.values()].flatMap((accounts) => [...accounts]),
    copies: () => [...there.world.snapshots.values(), ...there.world.clusterSnapshots.values()],
  };
}

/** A sealed set, whose snapshots lie in the first account as the capture would have left them. */
async function seal(
  slot: string,
  {
    here,
    vault,
    now,
    kmsKey,
  }: Pick<ReturnType<typeof twoAccounts>, 'here' | 'vault' | 'now'> & { kmsKey: string | null },
): Promise<void> {
  const run = toyRun(slot, { reason: 'manual' });
  const steps = toySteps({ vault, keys, now }, run);
  const ports = { ...steps.ports, captures: snapshotCaptures(vault, kinds, now, kmsKey) };
  const { fence } = await steps.claim();
  for (const ticket of (await planWaves({ run, fence }, ports)).waves.flat()) {
    const { handle } = await startCapture({ ticket, components: run.components }, ports);
    await finishCapture({ ticket, handle }, ports);
  }
  await steps.seal();
  for (const reference of await referencesOf(vault)) await takeUnlessTaken(here, reference);
}

async function takeUnlessTaken(here: ReturnType<typeof fakeRds>, { id, kind, source, tags }: SnapshotReference) {
  const { world } = here;
  if (world.snapshots.has(id) || world.clusterSnapshots.has(id)) return;
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const action = kind === 'cluster' ? 'CreateDBClusterSnapshot' : 'CreateDBSnapshot';
  const names =
    kind === 'cluster'
      ? { DBClusterSnapshotIdentifier: id, DBClusterIdentifier: source }
      : { DBSnapshotIdentifier: id, DBInstanceIdentifier: source };
  const before = world.course;
  world.course = () => () => ({ status: 'available', percent: 100 });
  await here.call(action, { ...names, Tags });
  world.course = before;
  here.log.length = 0;
}

/** All that sets cite, oldest set first. */
export async function referencesOf(vault: MemoryVault): Promise<SnapshotReference[]> {
  return (await ordersIn(vault)).map(({ reference }) => reference);
}

export async function ordersIn(vault: MemoryVault) {
  const node = NodeName.parse('toy-1');
  const found = [];
  for (const seq of await manifestSeqs(vault, node)) {
    const { components = [] } = (await readManifest(vault, node, seq))?.value ?? {};
    for (const { artifacts, end } of components) {
      for (const artifact of artifacts) {
        const reference = await readSnapshotReference(vault, artifact);
        const of = { set: `${node}/${seq}`, receipt: end.sha256 };
        found.push({ reference, artifact, order: copyOrder(reference, artifact.sha256, of) });
      }
    }
  }
  return found;
}

/** What the second vault says of where copies lie, by component. */
export async function told(second: MemoryVault, slot: string): Promise<Record<string, SnapshotCopy | undefined>> {
  const read = async (component: string) =>
    (await readDocument(second, copyKey({ node: 'toy-1', slot, fence: 1 }, component), SnapshotCopy))?.value;
  return { app: await read('app'), ledger: await read('ledger') };
}
