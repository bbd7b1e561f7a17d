import {
  CopyDBSnapshotCommand,
  CreateDBClusterSnapshotCommand,
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeAccountAttributesCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBSnapshotAttributeCommand,
  type RDSClient,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
} from '@aws-sdk/client-rds';
import { describe, expect, test } from '@jest/globals';
import { fakeRds } from './rds.ts';
import { always, until } from './rds-world.ts';

function world() {
  let time = Date.parse('2026-11-01T00:00:00Z');
  const rds = fakeRds({ now: () => new Date(time) });
  rds.addInstance('ledger');
  return { rds, pass: (seconds: number) => void (time += seconds * 1000) };
}
const create = (id: string, source = 'ledger') =>
  new CreateDBSnapshotCommand({
    DBSnapshotIdentifier: id,
    DBInstanceIdentifier: source,
    Tags: [
      { Key: 'a:b', Value: 'é & <1>' },
      { Key: 'c', Value: '' },
    ],
  });
const seen = async (client: RDSClient, id: string) =>
  (await client.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }))).DBSnapshots?.[0];

test('a snapshot is on its way, then available, with the tags it was made with; over HTTP and without', async () => {
  const { rds, pass } = world();
  await using server = await rds.serve();
  for (const [client, id] of [
    [server.client, 'one'],
    [rds.client(), 'two'],
  ] as const) {
    await client.send(create(id));
    expect(await seen(client, id)).toMatchObject({ Status: 'creating', PercentProgress: 0, Engine: 'postgres' });
    pass(60);
    expect(await seen(client, id)).toMatchObject({ Status: 'creating', PercentProgress: 50 });
    pass(60);
    const { TagList, SnapshotCreateTime, Status } = (await seen(client, id)) ?? {};
    expect(TagList).toEqual([
      { Key: 'a:b', Value: 'é & <1>' },
      { Key: 'c', Value: '' },
    ]);
    expect({ Status, made: SnapshotCreateTime?.getTime() }).toEqual({
      Status: 'available',
      made: rds.world.now().getTime() - 120_000,
    });
  }
});

test('what the service refuses is refused, by the names that the SDK gives', async () => {
  const { rds } = world();
  const client = rds.client({ maxAttempts: 1 });
  rds.addInstance('busy', {}, until(60, 'modifying', always('available')));
  rds.addInstance('member', { DBClusterIdentifier: 'c' });
  rds.addInstance('locked', { KmsKeyId: 'key-1' });
  rds.world.disabledKeys.add('key-1');
  await client.send(create('one'));
  await expect(client.send(create('one'))).rejects.toThrow(
    expect.objectContaining({ name: 'DBSnapshotAlreadyExistsFault' }),
  );
  await expect(client.send(create('b', 'busy'))).rejects.toThrow(
    expect.objectContaining({ name: 'InvalidDBInstanceStateFault' }),
  );
  await expect(client.send(create('m', 'member'))).rejects.toThrow('cluster');
  await expect(client.send(create('l', 'locked'))).rejects.toThrow(
    expect.objectContaining({ name: 'KMSKeyNotAccessibleFault' }),
  );
  await expect(client.send(create('two--hyphens'))).rejects.toThrow('not a valid identifier');
  rds.world.quota = 1;
  await expect(client.send(create('two'))).rejects.toThrow(
    expect.objectContaining({ name: 'SnapshotQuotaExceededFault' }),
  );
  await expect(seen(client, 'none')).rejects.toThrow(expect.objectContaining({ name: 'DBSnapshotNotFoundFault' }));
});

test('a call can be refused or lose its answer; a lost answer has its effect, and the client asks again', async () => {
  const { rds } = world();
  rds.onCall(({ action }) => (action === 'CreateDBSnapshot' && rds.log.length === 1 ? 'answer lost' : undefined));
  await expect(rds.client().send(create('one'))).rejects.toThrow('already exists');
  rds.onCall(() => ({ code: 'Throttling' }));
  await expect(seen(rds.client({ maxAttempts: 1 }), 'one')).rejects.toThrow(
    expect.objectContaining({ name: 'Throttling' }),
  );
  expect(rds.log.map(({ refused }) => refused)).toEqual(['answer lost', 'DBSnapshotAlreadyExists', 'Throttling']);
});

test('copies count for the quota, and what is deleted is gone', async () => {
  const { rds, pass } = world();
  const client = rds.client({ maxAttempts: 1 });
  await client.send(create('one'));
  pass(120);
  const names = { SourceDBSnapshotIdentifier: 'one', TargetDBSnapshotIdentifier: 'copy' };
  await client.send(new CopyDBSnapshotCommand({ ...names, CopyTags: true, KmsKeyId: 'other' }));
  expect(await seen(client, 'copy')).toMatchObject({ KmsKeyId: 'other', TagList: [{ Key: 'a:b' }, { Key: 'c' }] });
  const { AccountQuotas } = await client.send(new DescribeAccountAttributesCommand());
  expect(AccountQuotas).toContainEqual({ AccountQuotaName: 'ManualSnapshots', Used: 2, Max: 100 });
  await client.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: 'one' }));
  await expect(seen(client, 'one')).rejects.toThrow('not found');
});

test('restores stand beside what they were taken of, and a cluster gets its members', async () => {
  const { rds, pass } = world();
  const client = rds.client({ maxAttempts: 1 });
  rds.addCluster('aurora');
  await client.send(create('one'));
  const ids = { DBClusterSnapshotIdentifier: 'whole', DBClusterIdentifier: 'aurora' };
  await client.send(new CreateDBClusterSnapshotCommand(ids));
  const restore = new RestoreDBInstanceFromDBSnapshotCommand({
    ...{ DBInstanceIdentifier: 'restored', DBSnapshotIdentifier: 'one' },
    ...{ DBSubnetGroupName: 'private', VpcSecurityGroupIds: ['sg-1', 'sg-2'] },
  });
  await expect(client.send(restore)).rejects.toThrow('creating');
  pass(120);
  await client.send(restore);
  await client.send(
    new RestoreDBClusterFromSnapshotCommand({
      ...{ DBClusterIdentifier: 'beside', SnapshotIdentifier: 'whole', Engine: 'aurora-postgresql' },
    }),
  );
  const member = { DBInstanceIdentifier: 'beside-1', DBClusterIdentifier: 'beside', Engine: 'aurora-postgresql' };
  const add = new CreateDBInstanceCommand({ ...member, DBInstanceClass: 'db.r7g.large' });
  await expect(client.send(add)).rejects.toThrow('creating');
  pass(600);
  await client.send(add);
  const { DBInstances } = await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'restored' }));
  expect(DBInstances?.[0]).toMatchObject({
    DBInstanceStatus: 'available',
    VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-1' }, { VpcSecurityGroupId: 'sg-2' }],
  });
  const { DBClusters } = await client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'beside' }));
  expect(DBClusters?.[0]?.DBClusterMembers).toEqual([{ DBInstanceIdentifier: 'beside-1', IsClusterWriter: true }]);
  const filter = { Filters: [{ Name: 'db-cluster-id', Values: ['beside'] }] };
  expect((await client.send(new DescribeDBInstancesCommand(filter))).DBInstances).toHaveLength(1);
});

describe('between two accounts and Regions', () => {
  const [KEY, THEIR_KEY] = ['arn:aws:kms:eu-central-1:111111111111:key/1', 'arn:aws:kms:eu-west-1:222222222222:key/2'];
  const SOURCE = 'arn:aws:rds:eu-central-1:111111111111:snapshot:one';

  async function accounts() {
    const { rds: first, pass } = world();
    const second = fakeRds({ now: first.world.now, account: '222222222222', region: 'eu-west-1' });
    second.world.elsewhere.push(first.world);
    first.addInstance('ledger', { KmsKeyId: KEY });
    await first.client().send(create('one'));
    const share = (AttributeName = 'restore') =>
      first.client().send(
        new ModifyDBSnapshotAttributeCommand({
          ...{ DBSnapshotIdentifier: 'one', AttributeName, ValuesToAdd: ['222222222222'] },
        }),
      );
    const copy = (KmsKeyId: string | undefined = THEIR_KEY) => {
      const names = { SourceDBSnapshotIdentifier: SOURCE, TargetDBSnapshotIdentifier: 'copy', CopyTags: true };
      return second.client().send(new CopyDBSnapshotCommand({ ...names, KmsKeyId }));
    };
    return { first, second, pass, share, copy };
  }
  const refused = (name: string) => expect.objectContaining({ name });

  test('a snapshot is found while it is shared, over a signed URL, and copied without its tags', async () => {
    const { first, second, pass, share, copy } = await accounts();
    await expect(share()).rejects.toThrow(refused('InvalidDBSnapshotStateFault'));
    pass(120);
    await expect(copy()).rejects.toThrow(refused('DBSnapshotNotFoundFault'));
    await expect(share('copy')).rejects.toThrow(refused('InvalidParameterValue'));
    const { DBSnapshotAttributesResult } = await share();
    expect(DBSnapshotAttributesResult?.DBSnapshotAttributes).toEqual([
      { AttributeName: 'restore', AttributeValues: ['222222222222'] },
    ]);
    await copy();
    expect(second.log.at(-1)?.params['PreSignedUrl']).toMatch(/^https:\/\/rds\.eu-central-1\..*X-Amz-Signature=/);
    expect(await seen(second.client(), 'copy')).toMatchObject({
      ...{ Status: 'copying', KmsKeyId: THEIR_KEY, TagList: [], SourceDBSnapshotIdentifier: SOURCE },
      DBSnapshotArn: 'arn:aws:rds:eu-west-1:222222222222:snapshot:copy',
    });
    const ValuesToRemove = ['222222222222'];
    const ending = { DBSnapshotIdentifier: 'one', AttributeName: 'restore', ValuesToRemove };
    await first.client().send(new ModifyDBSnapshotAttributeCommand(ending));
    expect([...(first.world.shared.get(SOURCE) ?? [])]).toEqual([]);
    pass(120);
    expect(await seen(second.client(), 'copy')).toMatchObject({ Status: 'available' });
  });

  test('both keys must be open to the copier, and the copy’s in its Region', async () => {
    const { first, pass, share, copy } = await accounts();
    pass(120);
    await share();
    await expect(copy(KEY)).rejects.toThrow(refused('KMSKeyNotAccessibleFault'));
    first.world.closedKeys.add(KEY);
    await expect(copy()).rejects.toThrow(refused('KMSKeyNotAccessibleFault'));
    first.world.closedKeys.clear();
    first.world.defaultKeys.add(KEY);
    await expect(share()).rejects.toThrow('default key');
  });

  test('a source that is deleted meanwhile makes a copy fail', async () => {
    const { first, second, pass, share, copy } = await accounts();
    pass(120);
    await share();
    await copy();
    await first.client().send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: 'one' }));
    pass(30);
    expect(await seen(second.client(), 'copy')).toMatchObject({ Status: 'failed' });
  });
});
