import type { DBClusterSnapshot, DBSnapshot } from '@aws-sdk/client-rds';
import { type Params, Refusal } from './rds-wire.ts';
import {
  arn,
  type Cluster,
  type ClusterSnapshot,
  found,
  type Handlers,
  type Instance,
  idIn,
  page,
  refuseBadName,
  refuseDisabledKey,
  type Snapshot,
  statusOf,
  tagsIn,
  text,
  type World,
} from './rds-world.ts';

const TAKABLE = ['available', 'storage-optimization'];

/** The calls about snapshots, of instances and of clusters; what they do is in `rds.md`. */
export const snapshotCalls: Handlers = {
  CreateDBSnapshot: (params, world) => {
    const id = idIn(params, 'DBSnapshotIdentifier');
    const source = found(world.instances, idIn(params, 'DBInstanceIdentifier'), 'DBInstanceNotFound', 'DBInstance');
    refuseNew(world, world.snapshots, id, 'DBSnapshotAlreadyExists', 'SnapshotQuotaExceeded');
    if (source.shape.Engine?.startsWith('aurora') || source.shape.DBClusterIdentifier !== undefined) {
      throw new Refusal('InvalidParameterValue', 'Snapshots of members of a cluster are taken of the cluster.');
    }
    refuseState(world, source, 'InvalidDBInstanceState');
    refuseDisabledKey(world, source.shape.KmsKeyId);
    const snapshot: Snapshot = { shape: ofInstance(world, id, source, params), ...born(world, id) };
    world.snapshots.set(id, snapshot);
    return { DBSnapshot: seenSnapshot(world, snapshot) };
  },
  CreateDBClusterSnapshot: (params, world) => {
    const id = idIn(params, 'DBClusterSnapshotIdentifier');
    const source = found(world.clusters, idIn(params, 'DBClusterIdentifier'), 'DBClusterNotFoundFault', 'DBCluster');
    const taken = world.clusterSnapshots;
    refuseNew(world, taken, id, 'DBClusterSnapshotAlreadyExistsFault', 'SnapshotQuotaExceeded');
    refuseState(world, source, 'InvalidDBClusterStateFault');
    refuseDisabledKey(world, source.shape.KmsKeyId);
    const snapshot: ClusterSnapshot = { shape: ofCluster(world, id, source, params), ...born(world, id) };
    taken.set(id, snapshot);
    return { DBClusterSnapshot: seenClusterSnapshot(world, snapshot) };
  },
  DescribeDBSnapshots: (params, world) => {
    const all = 'DBSnapshotIdentifier' in params ? [snapshotNamed(params, world)] : [...world.snapshots.values()];
    const wanted = idOf(params, 'DBInstanceIdentifier');
    const some = all.filter(({ shape }) => wanted === undefined || shape.DBInstanceIdentifier === wanted);
    const { some: records, ...more } = page(some, params);
    return { DBSnapshots: records.map((each) => seenSnapshot(world, each)), ...more };
  },
  DescribeDBClusterSnapshots: (params, world) => {
    const one = 'DBClusterSnapshotIdentifier' in params;
    const all = one ? [clusterSnapshotNamed(params, world)] : [...world.clusterSnapshots.values()];
    const wanted = idOf(params, 'DBClusterIdentifier');
    const some = all.filter(({ shape }) => wanted === undefined || shape.DBClusterIdentifier === wanted);
    const { some: records, ...more } = page(some, params);
    return { DBClusterSnapshots: records.map((each) => seenClusterSnapshot(world, each)), ...more };
  },
  DeleteDBSnapshot: (params, world) => {
    const snapshot = snapshotNamed(params, world);
    refuseUnsettled(world, snapshot, 'InvalidDBSnapshotState');
    world.snapshots.delete(idIn(params, 'DBSnapshotIdentifier'));
    return { DBSnapshot: { ...seenSnapshot(world, snapshot), Status: 'deleted' } };
  },
  DeleteDBClusterSnapshot: (params, world) => {
    const snapshot = clusterSnapshotNamed(params, world);
    refuseUnsettled(world, snapshot, 'InvalidDBClusterSnapshotStateFault');
    world.clusterSnapshots.delete(idIn(params, 'DBClusterSnapshotIdentifier'));
    return { DBClusterSnapshot: { ...seenClusterSnapshot(world, snapshot), Status: 'deleted' } };
  },
  ListTagsForResource: (params, world) => {
    const name = text(params, 'ResourceName');
    const id = idIn(params, 'ResourceName');
    const one = name.includes(':cluster-snapshot:') ? world.clusterSnapshots.get(id) : world.snapshots.get(id);
    if (one === undefined) throw new Refusal('DBSnapshotNotFound', `${name} not found.`, 404);
    return { TagList: one.shape.TagList ?? [] };
  },
  DescribeAccountAttributes: (_, world) => {
    const quota = (name: string, used: number) => ({ AccountQuotaName: name, Used: used, Max: world.quota });
    return {
      AccountQuotas: [
        quota('ManualSnapshots', world.snapshots.size),
        quota('ManualClusterSnapshots', world.clusterSnapshots.size),
      ],
    };
  },
};

function ofInstance(world: World, id: string, { shape: source }: Instance, params: Params): DBSnapshot {
  const { DBInstanceIdentifier, Engine, EngineVersion, AllocatedStorage, StorageEncrypted, KmsKeyId } = source;
  return {
    ...named(world, id),
    ...{ DBInstanceIdentifier, Engine, EngineVersion, AllocatedStorage, SnapshotType: 'manual' },
    ...{ Encrypted: StorageEncrypted, KmsKeyId, SnapshotCreateTime: world.now(), TagList: tagsIn(params) },
  };
}

function ofCluster(world: World, id: string, { shape: source }: Cluster, params: Params): DBClusterSnapshot {
  const { DBClusterIdentifier, Engine, EngineVersion, AllocatedStorage, StorageEncrypted, KmsKeyId } = source;
  return {
    ...namedOfCluster(world, id),
    ...{ DBClusterIdentifier, Engine, EngineVersion, AllocatedStorage, SnapshotType: 'manual' },
    ...{ StorageEncrypted, KmsKeyId, SnapshotCreateTime: world.now(), TagList: tagsIn(params) },
  };
}

export const named = (world: World, id: string) => ({
  DBSnapshotIdentifier: id,
  DBSnapshotArn: arn(world, 'snapshot', id),
});
export const namedOfCluster = (world: World, id: string) => ({
  DBClusterSnapshotIdentifier: id,
  DBClusterSnapshotArn: arn(world, 'cluster-snapshot', id),
});
export const born = (world: World, id: string) => ({ madeAt: world.now().getTime(), course: world.course(id) });

export const seenSnapshot = (world: World, snapshot: Snapshot) => {
  const { status, percent = 0 } = statusOf(world, snapshot);
  return { ...snapshot.shape, Status: status, PercentProgress: percent };
};
export const seenClusterSnapshot = (world: World, snapshot: ClusterSnapshot) => {
  const { status, percent = 0 } = statusOf(world, snapshot);
  return { ...snapshot.shape, Status: status, PercentProgress: percent };
};

const idOf = (params: Params, name: string) => (name in params ? idIn(params, name) : undefined);
export const snapshotNamed = (params: Params, world: World) =>
  found(world.snapshots, idIn(params, 'DBSnapshotIdentifier'), 'DBSnapshotNotFound', 'DBSnapshot');
export const clusterSnapshotNamed = (params: Params, world: World) => {
  const id = idIn(params, 'DBClusterSnapshotIdentifier');
  return found(world.clusterSnapshots, id, 'DBClusterSnapshotNotFoundFault', 'DBClusterSnapshot');
};

export function refuseNew(
  world: World,
  taken: ReadonlyMap<string, unknown>,
  id: string,
  exists: string,
  full: string,
): void {
  refuseBadName(id);
  if (taken.has(id)) throw new Refusal(exists, `Cannot create the snapshot because ${id} already exists.`);
  if (taken.size >= world.quota) throw new Refusal(full, `The limit of ${world.quota} manual snapshots is reached.`);
}

function refuseState(world: World, source: Instance | Cluster, code: string): void {
  const { status } = statusOf(world, source);
  if (!TAKABLE.includes(status)) throw new Refusal(code, `The source is not in the available state (${status}).`);
}

export function refuseUnsettled(world: World, snapshot: Snapshot | ClusterSnapshot, code: string): void {
  const { status } = statusOf(world, snapshot);
  if (status === 'creating' || status === 'copying') throw new Refusal(code, `The snapshot is ${status}.`);
}
