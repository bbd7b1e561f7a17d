import type { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import { type Params, Refusal } from './rds-wire.ts';
import {
  arn,
  availableAfter,
  found,
  type Handlers,
  idIn,
  page,
  refuseBadName,
  refuseDisabledKey,
  statusOf,
  tagsIn,
  text,
  type World,
} from './rds-world.ts';

/** The calls about instances and clusters; what they do is in `rds.md`. */
export const databaseCalls: Handlers = {
  DescribeDBInstances: (params, world) => {
    const one = 'DBInstanceIdentifier' in params;
    const id = one ? idIn(params, 'DBInstanceIdentifier') : '';
    const all = one ? [found(world.instances, id, 'DBInstanceNotFound', 'DBInstance')] : [...world.instances.values()];
    const clusters = filter(params, 'db-cluster-id');
    const some = all.filter(({ shape }) => clusters?.includes(shape.DBClusterIdentifier ?? '') ?? true);
    const { some: records, ...more } = page(some, params);
    return {
      DBInstances: records.map((each) => ({ ...each.shape, DBInstanceStatus: statusOf(world, each).status })),
      ...more,
    };
  },
  DescribeDBClusters: (params, world) => {
    const one = 'DBClusterIdentifier' in params;
    const id = one ? idIn(params, 'DBClusterIdentifier') : '';
    const all = one ? [found(world.clusters, id, 'DBClusterNotFoundFault', 'DBCluster')] : [...world.clusters.values()];
    const { some: records, ...more } = page(all, params);
    return { DBClusters: records.map((each) => ({ ...each.shape, Status: statusOf(world, each).status })), ...more };
  },
  RestoreDBInstanceFromDBSnapshot: (params, world) => {
    const id = idIn(params, 'DBInstanceIdentifier');
    const from = found(world.snapshots, idIn(params, 'DBSnapshotIdentifier'), 'DBSnapshotNotFound', 'DBSnapshot');
    refuseTaken(world.instances, id, 'DBInstanceAlreadyExists');
    refuseUnavailable(world, from, 'InvalidDBSnapshotState');
    refuseDisabledKey(world, from.shape.KmsKeyId);
    const { Engine, EngineVersion, AllocatedStorage, KmsKeyId, Encrypted } = from.shape;
    const shape = { Engine, EngineVersion, AllocatedStorage, KmsKeyId, StorageEncrypted: Encrypted };
    return { DBInstance: bornInstance(world, id, { ...shape, ...asAsked(params) }) };
  },
  RestoreDBClusterFromSnapshot: (params, world) => {
    const id = idIn(params, 'DBClusterIdentifier');
    const source = idIn(params, 'SnapshotIdentifier');
    const from = found(world.clusterSnapshots, source, 'DBClusterSnapshotNotFoundFault', 'DBClusterSnapshot');
    refuseTaken(world.clusters, id, 'DBClusterAlreadyExistsFault');
    refuseUnavailable(world, from, 'InvalidDBClusterSnapshotStateFault');
    refuseDisabledKey(world, from.shape.KmsKeyId);
    const { EngineVersion, AllocatedStorage, KmsKeyId, StorageEncrypted } = from.shape;
    const kept = { Engine: text(params, 'Engine'), EngineVersion, AllocatedStorage, KmsKeyId, StorageEncrypted };
    const groups = { VpcSecurityGroups: securityGroups(params), DBSubnetGroup: optional(params, 'DBSubnetGroupName') };
    const asked = { Port: Number(params['Port'] ?? 5432), TagList: tagsIn(params) };
    const DBClusterInstanceClass = optional(params, 'DBClusterInstanceClass');
    const shape: DBCluster = { ...kept, ...groups, ...asked, ...clusterNames(world, id), DBClusterMembers: [] };
    world.clusters.set(id, { shape, madeAt: world.now().getTime(), course: availableAfter(600) });
    if (DBClusterInstanceClass !== undefined) bringInstances(world, { ...shape, DBClusterInstanceClass });
    return { DBCluster: { ...shape, Status: 'creating' } };
  },
  CreateDBInstance: (params, world) => {
    const id = idIn(params, 'DBInstanceIdentifier');
    refuseTaken(world.instances, id, 'DBInstanceAlreadyExists');
    const cluster = 'DBClusterIdentifier' in params ? idIn(params, 'DBClusterIdentifier') : undefined;
    if (cluster !== undefined) {
      const one = found(world.clusters, cluster, 'DBClusterNotFoundFault', 'DBCluster');
      const { shape } = one;
      const { status } = statusOf(world, one);
      if (status !== 'available') throw new Refusal('InvalidDBClusterStateFault', `The cluster is ${status}.`);
      const writer = (shape.DBClusterMembers ?? []).length === 0;
      shape.DBClusterMembers = [
        ...(shape.DBClusterMembers ?? []),
        { DBInstanceIdentifier: id, IsClusterWriter: writer },
      ];
    }
    const shape = { Engine: text(params, 'Engine'), DBClusterIdentifier: cluster, ...asAsked(params) };
    return { DBInstance: bornInstance(world, id, shape) };
  },
  DescribeDBSubnetGroups: (params, world) => {
    const name = optional(params, 'DBSubnetGroupName');
    const names = new Set([...world.instances.values()].flatMap(({ shape }) => shape.DBSubnetGroup?.DBSubnetGroupName));
    const known = [...names].filter((each) => each !== undefined && (name === undefined || name === each));
    if (name !== undefined && known.length === 0) {
      throw new Refusal('DBSubnetGroupNotFoundFault', `DBSubnetGroup ${name} not found.`, 404);
    }
    return {
      DBSubnetGroups: known.map((each) => ({ DBSubnetGroupName: each, SubnetGroupStatus: 'Complete', VpcId: 'vpc-1' })),
    };
  },
};

export const clusterNames = (world: World, id: string) => ({
  DBClusterIdentifier: id,
  DBClusterArn: arn(world, 'cluster', id),
  Endpoint: `${id}.cluster-fake.${world.region}.rds.amazonaws.com`,
});

export const instanceNames = (world: World, id: string) => ({
  DBInstanceIdentifier: id,
  DBInstanceArn: arn(world, 'db', id),
  Endpoint: { Address: `${id}.fake.${world.region}.rds.amazonaws.com`, Port: 5432 },
});

function bornInstance(world: World, id: string, fields: DBInstance): DBInstance {
  const shape = { ...fields, ...instanceNames(world, id) };
  world.instances.set(id, { shape, madeAt: world.now().getTime(), course: availableAfter(600) });
  return { ...shape, DBInstanceStatus: 'creating' };
}

/** A Multi-AZ cluster is a writer and two readers. */
function bringInstances(world: World, cluster: DBCluster): void {
  const { DBClusterIdentifier: id, DBClusterInstanceClass: DBInstanceClass, Engine } = cluster;
  for (const [index, name] of ['one', 'two', 'three'].map((each) => `${id}-instance-${each}`).entries()) {
    cluster.DBClusterMembers?.push({ DBInstanceIdentifier: name, IsClusterWriter: index === 0 });
    bornInstance(world, name, { Engine, DBInstanceClass, DBClusterIdentifier: id });
  }
}

/** What a caller says of a new instance. */
function asAsked(params: Params): DBInstance {
  const subnets = optional(params, 'DBSubnetGroupName');
  const parameters = optional(params, 'DBParameterGroupName');
  const options = optional(params, 'OptionGroupName');
  return {
    DBInstanceClass: optional(params, 'DBInstanceClass'),
    MultiAZ: params['MultiAZ'] === 'true',
    DeletionProtection: params['DeletionProtection'] === 'true',
    IAMDatabaseAuthenticationEnabled: params['EnableIAMDatabaseAuthentication'] === 'true',
    VpcSecurityGroups: securityGroups(params),
    TagList: tagsIn(params),
    ...(subnets === undefined ? {} : { DBSubnetGroup: { DBSubnetGroupName: subnets } }),
    ...(parameters === undefined ? {} : { DBParameterGroups: [{ DBParameterGroupName: parameters }] }),
    ...(options === undefined ? {} : { OptionGroupMemberships: [{ OptionGroupName: options }] }),
  };
}

const securityGroups = (params: Params) =>
  ((params['VpcSecurityGroupIds'] ?? []) as readonly string[]).map((id) => ({ VpcSecurityGroupId: id }));

const optional = (params: Params, name: string): string | undefined =>
  name in params ? text(params, name) : undefined;

const filter = (params: Params, name: string): readonly string[] | undefined =>
  ((params['Filters'] ?? []) as unknown as { Name: string; Values: string[] }[]).find(({ Name }) => Name === name)
    ?.Values;

function refuseTaken(taken: ReadonlyMap<string, unknown>, id: string, code: string): void {
  refuseBadName(id, 63);
  if (taken.has(id)) throw new Refusal(code, `${id} already exists.`);
}

function refuseUnavailable(world: World, snapshot: Parameters<typeof statusOf>[1], code: string): void {
  const { status } = statusOf(world, snapshot);
  if (status !== 'available') throw new Refusal(code, `The snapshot is ${status}.`);
}
