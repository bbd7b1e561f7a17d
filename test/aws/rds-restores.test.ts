import { beforeEach, describe, expect, test } from '@jest/globals';
import { snapshotCopies } from '../../aws/rds-restores.ts';
import type { RdsSource } from '../../aws/rds-source.ts';
import { isTheSnapshot, type RdsTarget, restoreTags } from '../../core/rds-restore.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type FakeRds, fakeRds } from '../fakes/rds.ts';
import { always } from '../fakes/rds-world.ts';
import { capturedTarget, MANIFEST, type RdsPlace, restored } from '../support/rds-copies.ts';

let time: number;
let rds: FakeRds;
let place: RdsPlace;

beforeEach(() => {
  time = Date.parse('2026-11-01T00:00:00Z');
  rds = fakeRds({ now: () => new Date(time) });
  rds.addInstance('ledger', { IAMDatabaseAuthenticationEnabled: true, DeletionProtection: true });
  rds.addCluster('aurora', {
    Port: 5433,
    DBClusterMembers: [{ DBInstanceIdentifier: 'writer', IsClusterWriter: true }],
  });
  rds.addInstance('writer', { DBClusterIdentifier: 'aurora', DBInstanceClass: 'db.r7g.xlarge' });
  rds.addCluster('multi-az', { Engine: 'postgres', DBClusterInstanceClass: 'db.m6gd.large' });
  place = {
    client: rds.client({ maxAttempts: 1 }),
    ...{ vault: new MemoryVault(), now: () => new Date(time), pass: () => void (time += 300_000) },
  };
});

const target = (source: RdsSource): Promise<RdsTarget> => capturedTarget(source, `${source.id}-node-1-1`, place);
const asked = (action: string) => rds.log.filter((call) => call.action === action).map(({ params }) => params);
const tagsOf = (of: RdsTarget) => Object.entries(restoreTags(MANIFEST, of)).map(([Key, Value]) => ({ Key, Value }));

describe('a restore', () => {
  test('of an instance makes another one, set up as the old one was, and waits until it answers', async () => {
    const instance = await target({ kind: 'instance', id: 'ledger' });
    const { steps, step } = await restored(instance, place);
    expect(steps).toEqual(['restore', 'wait', 'done']);
    expect(step).toMatchObject({ endpoint: { host: expect.stringContaining('ledger-node-1-1'), port: 5432 } });
    expect(asked('RestoreDBInstanceFromDBSnapshot')).toEqual([
      {
        ...{ DBInstanceIdentifier: 'ledger-node-1-1', DBSnapshotIdentifier: instance.snapshot.id },
        ...{ DBInstanceClass: 'db.m7g.large', DBSubnetGroupName: 'private', DBParameterGroupName: 'ledger' },
        ...{ OptionGroupName: 'default:postgres-15', VpcSecurityGroupIds: ['sg-1'], Port: '5432', MultiAZ: 'true' },
        ...{ EnableIAMDatabaseAuthentication: 'true', DeletionProtection: 'true' },
        ...{ CopyTagsToSnapshot: 'false', PubliclyAccessible: 'false', Tags: tagsOf(instance) },
      },
    ]);
  });

  test('of an Aurora cluster adds an instance of the old writer’s class, without which nobody could reach it', async () => {
    const cluster = await target({ kind: 'cluster', id: 'aurora' });
    const { steps, step } = await restored(cluster, place);
    // RDS takes instances only into a cluster that is available.
    expect(steps).toEqual(['restore', 'wait', 'add-instance', 'wait', 'done']);
    expect(step).toMatchObject({ endpoint: { host: expect.stringContaining('aurora-node-1-1.cluster'), port: 5433 } });
    expect(asked('RestoreDBClusterFromSnapshot')).toMatchObject([
      {
        SnapshotIdentifier: cluster.snapshot.id,
        Engine: 'aurora-postgresql',
        DBClusterParameterGroupName: 'ledger-cluster',
      },
    ]);
    expect(asked('RestoreDBClusterFromSnapshot')[0]).not.toHaveProperty('DBClusterInstanceClass');
    expect(asked('CreateDBInstance')).toEqual([
      {
        ...{ DBInstanceIdentifier: 'aurora-node-1-1-1', DBClusterIdentifier: 'aurora-node-1-1' },
        ...{ DBInstanceClass: 'db.r7g.xlarge', Engine: 'aurora-postgresql', PubliclyAccessible: 'false' },
        Tags: tagsOf(cluster),
      },
    ]);
  });

  test('of a Multi-AZ cluster brings its instances with it, of the class that it is told', async () => {
    const { steps, found } = await restored(await target({ kind: 'cluster', id: 'multi-az' }), place);
    expect(steps).toEqual(['restore', 'wait', 'done']);
    expect(found?.members).toHaveLength(3);
    expect(asked('RestoreDBClusterFromSnapshot')).toMatchObject([{ DBClusterInstanceClass: 'db.m6gd.large' }]);
    expect(asked('CreateDBInstance')).toEqual([]);
  });

  test.each([
    ['instance', 'ledger', 'RestoreDBInstanceFromDBSnapshot'],
    ['cluster', 'aurora', 'RestoreDBClusterFromSnapshot'],
    ['cluster', 'aurora', 'CreateDBInstance'],
  ] as const)('of %s %s whose answer to %s is lost goes on with its own', async (kind, id, action) => {
    const own = await target({ kind, id });
    rds.onCall((call) => (call.action === action && asked(action).length === 1 ? 'answer lost' : undefined));
    await expect(restored(own, place)).rejects.toMatchObject({ name: 'RdsUnavailable' });
    expect((await restored(own, place)).steps.at(-1)).toBe('done');
    // The call that is repeated before anybody has looked finds its own name, too.
    await snapshotCopies(place.client).restore(own, restoreTags(MANIFEST, own));
    expect(rds.world.instances.size + rds.world.clusters.size).toBe(kind === 'cluster' ? 6 : 5);
  });

  test.each(['ledger', 'aurora', 'multi-az'])('beside %s stops where something else has the name', async (id) => {
    const kind = id === 'ledger' ? 'instance' : 'cluster';
    const own = await target({ kind, id });
    if (kind === 'instance') rds.addInstance(own.beside);
    else rds.addCluster(own.beside);
    expect((await restored(own, place)).steps).toEqual(['taken']);
  });

  test('asks for nothing but what it makes and looks at', async () => {
    const cluster = await target({ kind: 'cluster', id: 'aurora' });
    rds.log.length = 0;
    await restored(cluster, place);
    expect([...new Set(rds.log.map(({ action }) => action))].toSorted()).toEqual([
      ...['CreateDBInstance', 'DescribeDBClusters', 'DescribeDBInstances', 'RestoreDBClusterFromSnapshot'],
    ]);
  });
});

describe('a snapshot that is to be restored', () => {
  test.each([
    ['instance', 'ledger'],
    ['cluster', 'aurora'],
  ] as const)('of %s %s is known by its tags, and missed when it is gone', async (kind, id) => {
    const own = await target({ kind, id });
    const copies = snapshotCopies(place.client);
    const found = await copies.snapshot(own);
    expect([found?.status, isTheSnapshot(own, found?.tags ?? {})]).toEqual(['available', true]);
    rds.world.snapshots.clear();
    rds.world.clusterSnapshots.clear();
    expect(await copies.snapshot(own)).toBeUndefined();
    await expect(copies.restore(own, {})).rejects.toMatchObject({
      name: 'RdsRefused',
      code: expect.stringMatching(/^DB(Cluster)?SnapshotNotFound$/),
    });
  });

  test('that is not available, or whose key is disabled, is refused by RDS’s own code', async () => {
    const own = await target({ kind: 'instance', id: 'ledger' });
    const copies = snapshotCopies(place.client);
    rds.world.disabledKeys.add(own.snapshot.kmsKey ?? '');
    await expect(copies.restore(own, {})).rejects.toMatchObject({ code: 'KMSKeyNotAccessible' });
    const snapshot = rds.world.snapshots.get(own.snapshot.id);
    if (snapshot !== undefined) snapshot.course = always('creating');
    await expect(copies.restore(own, {})).rejects.toMatchObject({ code: 'InvalidDBSnapshotState' });
    expect(await copies.find(own)).toBeUndefined();
  });
});
