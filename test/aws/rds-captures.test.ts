import { beforeEach, describe, expect, test } from '@jest/globals';
import { rdsEnds, rdsSource } from '../../aws/rds-captures.ts';
import type { RdsReach, RdsSource } from '../../aws/rds-source.ts';
import { canonicalBytes } from '../../core/canonical.ts';
import { snapshotId } from '../../core/deployed-names.ts';
import { Fence, NetworkName, NodeName, Sha256, Slot } from '../../core/names.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import { EndReceipt, PredecessorNotEnded } from '../../core/receipts.ts';
import { SnapshotReference, snapshotTags } from '../../core/snapshots.ts';
import { sha256 } from '../../io/digest.ts';
import { readDocument } from '../../vault/documents.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { fakeRds } from '../fakes/rds.ts';
import { always, until } from '../fakes/rds-world.ts';

const order: CaptureOrder = {
  ...{ network: NetworkName.parse('acme'), node: NodeName.parse('node-1'), protocol: 'splice' },
  ...{ slot: Slot.parse('2026-11-01T00:00:00Z'), fence: Fence.parse(1), role: 'participant' },
  component: 'participant' as CaptureOrder['component'],
  prefix: 'sets/node-1/runs/2026-11-01T00:00:00Z/1/',
  predecessors: [{ component: 'app' as CaptureOrder['component'], end: Sha256.parse('a'.repeat(64)) }],
};
const ID = snapshotId(order, sha256);
const TAGS = Object.entries(snapshotTags(order, order.predecessors)).map(([Key, Value]) => ({ Key, Value }));

let time: number;
let rds: ReturnType<typeof fakeRds>;
let vault: MemoryVault;

beforeEach(() => {
  time = Date.parse('2026-11-01T00:00:00Z');
  rds = fakeRds({ now: () => new Date(time) });
  rds.addInstance('ledger');
  vault = new MemoryVault();
});

const pass = (seconds: number) => void (time += seconds * 1000);
const reach = (more: Partial<RdsReach> = {}) => ({
  ...{ rds: rds.client({ maxAttempts: 1 }), vault, clock: { now: () => new Date(time) } },
  ...more,
});
const ends = () => rdsEnds(reach());
const start = (address: RdsSource = { kind: 'instance', id: 'ledger' }, more?: Partial<RdsReach>) =>
  rdsSource(address, reach(more)).start?.(order) ?? Promise.reject(new Error('no start'));
const created = () => rds.log.filter(({ action }) => action.startsWith('Create'));

async function taken(address?: RdsSource) {
  const handle = await start(address);
  pass(120);
  expect(await ends().poll(handle, 0)).toMatchObject({ ended: true });
  return ends().finish(handle);
}

describe('a snapshot', () => {
  test('is asked for by its name with the proof of its order, polled, and cited by a reference in the vault', async () => {
    const captured = await taken();
    expect(created()).toMatchObject([
      { params: { DBSnapshotIdentifier: ID, DBInstanceIdentifier: 'ledger', Tags: TAGS } },
    ]);
    const key = `${order.prefix}participant.snapshot.json`;
    const reference = await readDocument(vault, key, SnapshotReference);
    expect(reference?.value).toMatchObject({
      ...{ id: ID, arn: `arn:aws:rds:eu-central-1:111111111111:snapshot:${ID}`, source: 'ledger', kind: 'instance' },
      settings: { instanceClass: 'db.m7g.large', subnetGroup: 'private', securityGroups: ['sg-1'], multiAz: true },
    });
    expect(captured).toMatchObject({
      ...{ startedAt: '2026-11-01T00:00:00.000Z', endedAt: '2026-11-01T00:02:00.000Z' },
      artifacts: [{ key, sha256: reference?.sha256, content: 'rds-snapshot' }],
      versions: { engine: 'postgres 15.8' },
    });
  });

  test('of a cluster is the cluster’s, with the class of its writer', async () => {
    rds.addCluster('aurora', { DBClusterMembers: [{ DBInstanceIdentifier: 'aurora-2', IsClusterWriter: true }] });
    rds.addInstance('aurora-2', { DBClusterIdentifier: 'aurora', DBInstanceClass: 'db.r7g.xlarge' });
    const { artifacts } = await taken({ kind: 'cluster', id: 'aurora' });
    const reference = await readDocument(vault, artifacts[0]?.key ?? '', SnapshotReference);
    expect(reference?.value).toMatchObject({ kind: 'cluster', settings: { instanceClass: 'db.r7g.xlarge' } });
    expect(created()).toMatchObject([{ action: 'CreateDBClusterSnapshot' }]);
  });

  test('is asked for once, whichever answer is lost; a repeated start and a repeated finish change nothing', async () => {
    rds.onCall(({ action }) => (action === 'CreateDBSnapshot' && created().length === 1 ? 'answer lost' : undefined));
    await expect(start()).rejects.toMatchObject({ name: 'RdsUnavailable' });
    pass(5);
    const handle = await start();
    expect(JSON.parse(handle)).toMatchObject({ startedAt: '2026-11-01T00:00:00.000Z' });
    pass(120);
    const [one, two] = [await ends().finish(handle), await ends().finish(handle)];
    expect(two).toEqual(one);
    expect(created()).toHaveLength(1);
  });

  test('of the same name is adopted only with the same source, attempt and predecessors', async () => {
    const foreign = async (source: string, tags: typeof TAGS) => {
      rds.world.snapshots.clear();
      rds.addInstance('other');
      await rds.call('CreateDBSnapshot', { DBSnapshotIdentifier: ID, DBInstanceIdentifier: source, Tags: tags });
      return start();
    };
    const changed = (key: string, Value: string) => TAGS.map((tag) => (tag.Key === key ? { ...tag, Value } : tag));
    for (const [source, tags] of [
      ['other', TAGS],
      ['ledger', changed('ledgerhold:fence', '2')],
      ['ledger', changed('ledgerhold:after:app', 'b'.repeat(64))],
      ['ledger', TAGS.slice(1)],
      ['ledger', [...TAGS, { Key: 'ledgerhold:after:wallet', Value: 'c' }]],
    ] as const) {
      await expect(foreign(source, [...tags])).rejects.toMatchObject({ name: 'SnapshotFailed' });
    }
    await expect(foreign('ledger', [...TAGS, { Key: 'cost-centre', Value: '7' }])).resolves.toContain(ID);
  });
});

describe('a source', () => {
  const refused = async (name: string, text: string, address?: RdsSource) => {
    await expect(start(address)).rejects.toMatchObject({ name, message: expect.stringContaining(text) });
    expect(rds.world.snapshots.size + rds.world.clusterSnapshots.size).toBe(0);
  };

  test.each([
    ['modifying', 'DatabaseBusy'],
    ['backing-up', 'DatabaseBusy'],
    ['deleting', 'SourceUnusable'],
    ['inaccessible-encryption-credentials-recoverable', 'SourceUnusable'],
    ['on-holiday', 'UnknownStatus'],
  ])('that is %s ends in %s, and its state is named', async (status, name) => {
    rds.addInstance('ledger', {}, always(status));
    await refused(name, status);
    expect(created()).toHaveLength(0);
  });

  test('that becomes busy after it was looked at is waited for; with its storage being optimised it is taken', async () => {
    rds.onCall(({ action }) => (action === 'CreateDBSnapshot' ? { code: 'InvalidDBInstanceState' } : undefined));
    await refused('DatabaseBusy', 'ledger');
    rds.onCall(() => undefined);
    rds.addInstance('ledger', {}, always('storage-optimization'));
    await expect(start()).resolves.toContain(ID);
  });

  test('that is a replica, of another kind, or not there is refused before anything is asked for', async () => {
    rds.addInstance('replica', { ReadReplicaSourceDBInstanceIdentifier: 'ledger' });
    rds.addInstance('member', { DBClusterIdentifier: 'aurora' });
    rds.addCluster('aurora');
    rds.addCluster('far', { ReplicationSourceIdentifier: 'arn:aws:rds:us-east-1:1:cluster:near' });
    await refused('SourceUnusable', 'replica of ledger', { kind: 'instance', id: 'replica' });
    await refused('SourceUnusable', 'near', { kind: 'cluster', id: 'far' });
    await refused('SourceUnusable', 'an instance of the cluster aurora', { kind: 'instance', id: 'member' });
    await refused('SourceUnusable', 'no instance aurora', { kind: 'instance', id: 'aurora' });
    await refused('SourceUnusable', 'no cluster ledger', { kind: 'cluster', id: 'ledger' });
    await refused('SourceUnusable', 'none', { kind: 'instance', id: 'none' });
    expect(created()).toHaveLength(0);
  });

  test('under the default key is refused where its snapshots are to be copied, and a disabled key is named', async () => {
    const { KmsKeyId = '' } = rds.world.instances.get('ledger')?.shape ?? {};
    const address = { kind: 'instance', id: 'ledger' } as const;
    await expect(start(address, { isDefaultKey: async (key) => key === KmsKeyId })).rejects.toThrow('default key');
    rds.world.disabledKeys.add(KmsKeyId);
    await refused('SourceUnusable', 'cannot use the KMS key', address);
  });

  test('whose quota is reached, or who is throttled, says so; what cannot heal is not called throttled', async () => {
    rds.world.quota = 0;
    await refused('SourceUnusable', 'no more snapshots');
    for (const [code, name] of [
      ['Throttling', 'RdsUnavailable'],
      ['RequestLimitExceeded', 'RdsUnavailable'],
      ['AccessDenied', 'RdsRefused'],
      ['InvalidParameterValue', 'RdsRefused'],
    ] as const) {
      rds.onCall(() => ({ code }));
      await refused(name, code);
    }
    rds.onCall(() => ({ code: 'InternalFailure', status: 500 }));
    await refused('RdsUnavailable', 'InternalFailure');
  });
});

describe('a poll', () => {
  test.each([
    ['failed', 'SnapshotFailed'],
    ['deleting', 'SnapshotFailed'],
    ['paused', 'UnknownStatus'],
  ])('of a snapshot that is %s ends in %s', async (status, name) => {
    rds.world.course = () => until(30, 'creating', always(status));
    const handle = await start();
    await expect(ends().poll(handle, 0)).resolves.toMatchObject({ ended: false, lookAgainSeconds: 15 });
    pass(60);
    await expect(ends().poll(handle, 0)).rejects.toMatchObject({ name, message: expect.stringContaining(status) });
    await expect(ends().finish(handle)).rejects.toMatchObject({ name });
  });

  test('of a snapshot that somebody deleted, or put another in its place, is no success', async () => {
    const handle = await start();
    pass(120);
    const own = rds.world.snapshots.get(ID);
    rds.world.snapshots.delete(ID);
    await expect(ends().poll(handle, 0)).rejects.toMatchObject({ name: 'SnapshotFailed' });
    if (own) rds.world.snapshots.set(ID, { ...own, shape: { ...own.shape, TagList: [] } });
    await expect(ends().poll(handle, 0)).rejects.toMatchObject({ name: 'SnapshotFailed' });
    await expect(ends().finish(handle)).rejects.toMatchObject({ name: 'SnapshotFailed' });
  });

  test('tells of 45 min without progress, which the receipt keeps, and fails after 4 h', async () => {
    rds.world.course = () => (seconds) =>
      seconds < 4 * 3600 - 1 ? { status: 'creating', percent: seconds < 60 ? 0 : 40 } : { status: 'available' };
    const handle = await start();
    const polled = async (seconds: number) => {
      time = Date.parse('2026-11-01T00:00:00Z') + seconds * 1000;
      return ends().poll(handle, 0);
    };
    const warnings: (string | undefined)[] = [];
    for (const minute of [0, 1, 20, 45, 46, 90]) warnings.push((await polled(minute * 60)).warning);
    expect(warnings.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
    expect(warnings.slice(4)).toEqual([expect.stringContaining('45 minutes'), expect.stringContaining('89 minutes')]);
    await polled(4 * 3600 - 1);
    const { notes } = await ends().finish(handle);
    expect(notes).toEqual({ 'snapshot.stoodStill': '238 minutes' });
    turned('creating');
    await expect(polled(4 * 3600 + 1)).rejects.toMatchObject({ name: 'SnapshotFailed' });
  });
});

describe('what proves a predecessor', () => {
  async function predecessor() {
    const captured = await taken();
    const { network, node, slot, fence, component } = order;
    const half = { format: 'ledgerhold/receipt-end/1', network, node, slot, fence, component, start: 'a'.repeat(64) };
    return EndReceipt.parse({ ...half, ...captured });
  }

  test('is its snapshot, described as available now', async () => {
    const receipt = await predecessor();
    await expect(ends().attest(receipt)).resolves.toBeUndefined();
    expect(rds.log.at(-1)).toMatchObject({ action: 'DescribeDBSnapshots', params: { DBSnapshotIdentifier: ID } });
  });

  test.each([
    ['gone', () => void rds.world.snapshots.delete(ID)],
    ['being deleted', () => turned('deleting')],
    ['in a status that nobody knows', () => turned('napping')],
  ])('is not one that is %s', async (_, damage) => {
    const receipt = await predecessor();
    damage();
    await expect(ends().attest(receipt)).rejects.toBeInstanceOf(PredecessorNotEnded);
  });

  test('is not what another reference cites', async () => {
    const receipt = await predecessor();
    const key = `${order.prefix}participant.snapshot.json`;
    const { value } = (await readDocument(vault, key, SnapshotReference)) ?? {};
    vault.objects.set(key, canonicalBytes({ ...value, id: 'another' }));
    await expect(ends().attest(receipt)).rejects.toMatchObject({ name: 'ArtifactDamaged' });
    const sha = sha256(vault.objects.get(key) ?? Buffer.of());
    const foreign = { ...receipt, component: 'app' as CaptureOrder['component'] };
    const cited = { ...foreign, artifacts: receipt.artifacts.map((each) => ({ ...each, sha256: sha })) };
    await expect(ends().attest(cited)).rejects.toThrow('about another capture');
  });
});

const turned = (status: string): void => {
  const snapshot = rds.world.snapshots.get(ID);
  if (snapshot !== undefined) snapshot.course = always(status);
};
