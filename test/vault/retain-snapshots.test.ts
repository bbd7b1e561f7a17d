import { describe, expect, test } from '@jest/globals';
import { snapshotJanitor } from '../../aws/snapshot-janitor.ts';
import { snapshotId } from '../../core/deployed-names.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import { snapshotTags } from '../../core/snapshots.ts';
import { sha256 } from '../../io/digest.ts';
import { holdSet } from '../../vault/holds.ts';
import { applyRetention, planRetention } from '../../vault/retain.ts';
import { verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type FakeRds, fakeRds } from '../fakes/rds.ts';
import { healthy, newKeys, toyCaptures, toyProtocol, toyRun, toySteps } from '../support/toy-sets.ts';

const keys = newKeys();
const at = (day: number, hour = 0) => new Date(Date.UTC(2026, 10, day, hour));
const NOW = at(9);

function world() {
  const clock = { now: () => NOW };
  const rds = fakeRds(clock);
  rds.addInstance('app-db');
  rds.addCluster('ledger-db');
  rds.world.course = () => () => ({ status: 'available' });
  const janitor = snapshotJanitor(rds.client(), 'toy-net');
  const vault = new MemoryVault();
  const plan = async (keepLast: number, snapshots = true) =>
    planRetention({
      ...{ vault, node: 'toy-1', keep: { keepLast }, timeZone: 'UTC', now: NOW, publicKeys: [keys.publicKey] },
      ...(snapshots && { snapshots: await janitor.list('toy-1') }),
    });
  const ports = { vault, janitor: vault, signer: keys.signer, clock, snapshots: janitor };
  const ids = () => [...rds.world.snapshots.keys(), ...rds.world.clusterSnapshots.keys()].toSorted();
  return { rds, vault, janitor, ports, plan, ids };
}

/** The application's database is an instance and the ledger's a cluster; a set holds references to their snapshots. */
function snapshotSteps({ rds, vault }: ReturnType<typeof world>, slot: string, now: Date) {
  const steps = toySteps({ vault, keys, now: () => now }, toyRun(slot, { reason: 'manual' }));
  const toys = toyCaptures(vault, healthy, () => now);
  const finish = async (handle: string) => {
    const order = JSON.parse(handle) as CaptureOrder;
    await takeSnapshot(rds, order);
    const captured = await toys.finish(handle);
    const key = `${order.prefix}${order.component}.snapshot.json`;
    const [artifact] = captured.artifacts;
    if (artifact === undefined) throw new Error('a toy captures something');
    const body = await vault.get(artifact.key);
    await vault.putOnce(key, body ?? Buffer.alloc(0));
    await vault.remove(artifact.key);
    return { ...captured, artifacts: [{ ...artifact, key, content: 'rds-snapshot' }] };
  };
  Object.assign(steps.ports.captures, { finish });
  return steps;
}

async function takeSnapshot(rds: FakeRds, order: CaptureOrder) {
  const id = snapshotId(order, sha256);
  const tags = snapshotTags(order, order.predecessors);
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  if (order.component === 'app')
    await rds.call('CreateDBSnapshot', { DBSnapshotIdentifier: id, DBInstanceIdentifier: 'app-db', Tags } as never);
  else
    await rds.call('CreateDBClusterSnapshot', {
      ...{ DBClusterSnapshotIdentifier: id, DBClusterIdentifier: 'ledger-db', Tags },
    } as never);
}

async function withSets(...times: Date[]) {
  const made = world();
  for (const time of times) {
    const steps = snapshotSteps(made, time.toISOString().replaceAll(':', '-'), time);
    await steps.claim();
    await steps.capture();
    await steps.seal();
  }
  return made;
}

const deletions = (rds: FakeRds) => rds.log.filter(({ action }) => action.startsWith('Delete'));

describe('retention of sets whose state lies in RDS', () => {
  test('deletes the snapshots of what no rule keeps, of instances and of clusters, and no others', async () => {
    const { rds, vault, plan, ports, ids } = await withSets(at(1), at(2), at(3));
    rds.world.snapshots.set('somebody-else', [...rds.world.snapshots.values()][0] as never);
    const before = ids();
    const result = await applyRetention(await plan(2), ports);
    expect(result).toMatchObject({ expired: ['toy-1/1'], busy: [] });
    expect(result.snapshots).toHaveLength(2);
    expect(ids()).toEqual(before.filter((id) => !result.snapshots.includes(id)));
    const proof = await verify({
      ...{ vault, publicKeys: [keys.publicKey], protocolNamed: () => toyProtocol, depth: 'bytes' },
    });
    expect(proof.sets.map(({ expired }) => expired)).toEqual([true, false, false]);
  });

  test('signs the tombstone before the first deletion, and deletes a snapshot before its reference', async () => {
    const { rds, vault, plan, ports } = await withSets(at(1), at(2));
    const seen: [boolean, number][] = [];
    const references = () => [...vault.objects.keys()].filter((key) => key.endsWith('.snapshot.json')).length;
    rds.onCall(({ action }) => {
      if (action.startsWith('Delete'))
        seen.push([vault.objects.has('sets/toy-1/tombstones/00000001.json'), references()]);
      return undefined;
    });
    await applyRetention(await plan(1), ports);
    expect(seen).toEqual([
      [true, 4],
      [true, 3],
    ]);
  });

  test('killed at any deletion, and before or after it took effect, goes on at the next run', async () => {
    for (const lost of [false, true]) {
      for (const nth of [1, 2]) {
        const { rds, plan, ports, ids } = await withSets(at(1), at(2));
        rds.onCall(({ action }) => {
          if (!action.startsWith('Delete') || deletions(rds).length !== nth) return undefined;
          return lost ? 'answer lost' : { code: 'AccessDenied', status: 403 };
        });
        const first = applyRetention(await plan(1), {
          ...ports,
          snapshots: snapshotJanitor(rds.client({ maxAttempts: 1 }), 'toy-net'),
        });
        await expect(first).rejects.toMatchObject({ name: 'SnapshotsUnavailable' });
        rds.onCall(() => undefined);
        await applyRetention(await plan(1), ports);
        expect(ids()).toHaveLength(2);
        const after = await plan(1);
        expect([after.unfinished, after.sets.length]).toEqual([[], 1]);
      }
    }
  });

  test('leaves one that RDS will not delete now, with its reference, to the next run', async () => {
    const { rds, vault, plan, ports, ids } = await withSets(at(1), at(2));
    rds.onCall(({ action }) =>
      action === 'DeleteDBSnapshot' ? { code: 'InvalidDBSnapshotState', status: 400 } : undefined,
    );
    const { busy, snapshots } = await applyRetention(await plan(1), ports);
    expect([busy.length, snapshots.length]).toEqual([1, 1]);
    expect([...vault.objects.keys()].filter((key) => key.endsWith('app.snapshot.json'))).toHaveLength(2);
    rds.onCall(() => undefined);
    expect((await applyRetention(await plan(1), ports)).snapshots).toEqual(busy);
    expect(ids()).toHaveLength(2);
  });

  test('never passes a snapshot that somebody deleted off as expiry, nor counts its set as the good one', async () => {
    const { rds, plan } = await withSets(at(1), at(2));
    const [id = ''] = [...rds.world.snapshots.keys()]
      .filter((name) => rds.world.snapshots.get(name) !== undefined)
      .slice(-1);
    rds.world.snapshots.delete(id);
    const { damaged, sets } = await plan(1);
    expect(damaged).toMatchObject([{ set: { seq: 2 }, key: expect.stringContaining('app.snapshot.json') }]);
    expect(sets.map(({ keep }) => keep)).toEqual([true, true]);
  });

  test('sweeps the snapshots of an attempt that never became a set, after a day', async () => {
    const made = await withSets(at(1));
    const steps = snapshotSteps(made, 'broken-off', at(2));
    await steps.claim();
    await steps.capture();
    expect(made.ids()).toHaveLength(4);
    const { snapshots } = await applyRetention(await made.plan(5), made.ports);
    expect(snapshots).toHaveLength(2);
    expect(made.ids()).toHaveLength(2);
  });

  test('keeps a set with snapshots where RDS is out of reach, and says why', async () => {
    const { plan } = await withSets(at(1), at(2));
    const { sets } = await plan(1, false);
    expect(sets[1]).toMatchObject({ keep: true, reasons: [expect.stringContaining('snapshots in RDS')] });
  });

  test('keeps what a restore or a drill holds, until it lets go or its time is over', async () => {
    const { vault, plan } = await withSets(at(1), at(2));
    const kept = async () => (await plan(1)).sets.find(({ set }) => set.seq === 1);
    const by = 'restore of toy-1';
    const hold = (seq: number, until: Date, who = by) =>
      holdSet({ node: 'toy-1', seq, by: who, until }, { vault, clock: { now: () => NOW } });
    await hold(1, at(8), 'an old drill');
    expect((await kept())?.keep).toBe(false);
    await hold(1, at(10));
    expect(await kept()).toMatchObject({ keep: true, reasons: [`in use: ${by}, until 2026-11-10T00:00:00.000Z`] });
    await hold(1, NOW);
    expect((await kept())?.keep).toBe(false);
  });

  test('deletes nothing on half a list', async () => {
    const { rds, plan } = await withSets(at(1), at(2));
    rds.onCall(({ action }) =>
      action === 'DescribeDBClusterSnapshots' ? { code: 'AccessDenied', status: 403 } : undefined,
    );
    await expect(plan(1)).rejects.toMatchObject({ name: 'SnapshotsUnavailable' });
    expect(deletions(rds)).toEqual([]);
  });
});

test('a snapshot is ours by its name and by its tags, never by one of them alone', async () => {
  const { rds, janitor } = await withSets(at(1));
  expect(await janitor.list('toy-1')).toHaveLength(2);
  const id = [...rds.world.snapshots.keys()][0] ?? '';
  const snapshot = rds.world.snapshots.get(id);
  if (snapshot === undefined) throw new Error('there is one');
  const { TagList: _, ...untagged } = snapshot.shape;
  rds.world.snapshots.set(id, { ...snapshot, shape: untagged });
  expect(await janitor.list('toy-1')).toMatchObject([{ kind: 'cluster' }]);
  rds.world.snapshots.set('hand-made', {
    ...snapshot,
    shape: { ...snapshot.shape, DBSnapshotIdentifier: 'hand-made' },
  });
  expect(await janitor.list('toy-1')).toHaveLength(1);
  const foreign = { kind: 'instance', id: 'hand-made', status: 'available', slot: 'x', fence: 1 } as const;
  await expect(janitor.remove(foreign)).rejects.toMatchObject({ name: 'SnapshotsUnavailable' });
});
