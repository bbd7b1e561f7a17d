import {
  CreateDBInstanceCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  type RDSClient,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
} from '@aws-sdk/client-rds';
import { type FoundCopy, needsInstance, type RdsTarget, type SnapshotCopies } from '../core/rds-restore.ts';
import { asTags, describeSnapshot, tagsOf } from './rds-describe.ts';
import { callRds, unlessRds } from './rds-errors.ts';

/** Restores snapshots through RDS. It can make instances and clusters, and neither change nor delete any. */
export function snapshotCopies(client: RDSClient): SnapshotCopies {
  return {
    snapshot: ({ snapshot: { kind, id } }) => describeSnapshot(client, kind, id),
    find: (target) => (ofCluster(target) ? findCluster(client, target) : findInstance(client, target)),
    restore: (target, tags) =>
      ofCluster(target) ? restoreCluster(client, target, tags) : restoreInstance(client, target, tags),
    addInstance: (target, tags) => addInstance(client, target, tags),
  };
}

const ofCluster = ({ snapshot }: RdsTarget): boolean => snapshot.kind === 'cluster';

async function findInstance(client: RDSClient, { beside }: RdsTarget): Promise<FoundCopy | undefined> {
  const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: beside });
  const answer = await unlessRds(beside, 'DBInstanceNotFound', () => client.send(command));
  const found = answer?.DBInstances?.[0];
  if (found === undefined) return undefined;
  const { Address: host, Port: port } = found.Endpoint ?? {};
  return {
    ...{ status: String(found.DBInstanceStatus), tags: tagsOf(found.TagList), members: [] },
    ...(host !== undefined && port !== undefined && { endpoint: { host, port } }),
  };
}

async function findCluster(client: RDSClient, { beside }: RdsTarget): Promise<FoundCopy | undefined> {
  const command = new DescribeDBClustersCommand({ DBClusterIdentifier: beside });
  const answer = await unlessRds(beside, 'DBClusterNotFoundFault', () => client.send(command));
  const found = answer?.DBClusters?.[0];
  if (found === undefined) return undefined;
  const members: FoundCopy['members'][number][] = [];
  for (const { DBInstanceIdentifier: id } of found.DBClusterMembers ?? []) {
    if (id !== undefined) members.push({ id, status: await instanceStatus(client, id) });
  }
  const { Endpoint: host, Port: port } = found;
  return {
    ...{ status: String(found.Status), tags: tagsOf(found.TagList), members },
    ...(host !== undefined && port !== undefined && { endpoint: { host, port } }),
  };
}

async function instanceStatus(client: RDSClient, id: string): Promise<string> {
  const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: id });
  const { DBInstances } = await callRds(id, () => client.send(command));
  return String(DBInstances?.[0]?.DBInstanceStatus);
}

/** Where a call is repeated whose first answer was lost, the name is taken by ourselves: the next look tells whose it is. */
async function restoreInstance(
  client: RDSClient,
  { snapshot: { id, settings }, beside }: RdsTarget,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const command = new RestoreDBInstanceFromDBSnapshotCommand({
    DBInstanceIdentifier: beside,
    DBSnapshotIdentifier: id,
    DBInstanceClass: settings.instanceClass,
    DBSubnetGroupName: settings.subnetGroup,
    DBParameterGroupName: settings.parameterGroup,
    OptionGroupName: settings.optionGroup,
    VpcSecurityGroupIds: settings.securityGroups,
    Port: settings.port,
    MultiAZ: settings.multiAz,
    ...common(settings),
    // Its tags say that it is a restored copy; a snapshot of it is none of our sets'.
    CopyTagsToSnapshot: false,
    PubliclyAccessible: false,
    Tags: asTags(tags),
  });
  await unlessRds(beside, 'DBInstanceAlreadyExists', () => client.send(command));
}

async function restoreCluster(
  client: RDSClient,
  target: RdsTarget,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const { id, engine, engineVersion, settings } = target.snapshot;
  const command = new RestoreDBClusterFromSnapshotCommand({
    DBClusterIdentifier: target.beside,
    SnapshotIdentifier: id,
    Engine: engine,
    EngineVersion: engineVersion,
    // A Multi-AZ cluster brings its instances with it, and is told their class.
    DBClusterInstanceClass: needsInstance(target) ? undefined : settings.instanceClass,
    DBSubnetGroupName: settings.subnetGroup,
    DBClusterParameterGroupName: settings.parameterGroup,
    VpcSecurityGroupIds: settings.securityGroups,
    Port: settings.port,
    ...common(settings),
    CopyTagsToSnapshot: false,
    Tags: asTags(tags),
  });
  await unlessRds(target.beside, 'DBClusterAlreadyExistsFault', () => client.send(command));
}

async function addInstance(
  client: RDSClient,
  { snapshot: { engine, settings }, beside }: RdsTarget,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const command = new CreateDBInstanceCommand({
    DBInstanceIdentifier: `${beside}-1`,
    DBClusterIdentifier: beside,
    DBInstanceClass: settings.instanceClass ?? 'db.serverless',
    Engine: engine,
    PubliclyAccessible: false,
    Tags: asTags(tags),
  });
  await unlessRds(beside, 'DBInstanceAlreadyExists', () => client.send(command));
}

const common = ({ iamAuthentication, deletionProtection }: RdsTarget['snapshot']['settings']) => ({
  EnableIAMDatabaseAuthentication: iamAuthentication,
  DeletionProtection: deletionProtection,
});
