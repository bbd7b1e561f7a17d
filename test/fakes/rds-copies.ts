import type { DBClusterSnapshot, DBSnapshot } from '@aws-sdk/client-rds';
import {
  born,
  clusterSnapshotNamed,
  named,
  namedOfCluster,
  refuseNew,
  refuseUnsettled,
  seenClusterSnapshot,
  seenSnapshot,
  snapshotNamed,
} from './rds-snapshots.ts';
import { type Params, Refusal } from './rds-wire.ts';
import {
  type ClusterSnapshot,
  type Course,
  found,
  type Handlers,
  idIn,
  refuseDisabledKey,
  type Snapshot,
  tagsIn,
  text,
  type World,
} from './rds-world.ts';

/** The calls that share and copy snapshots, between accounts and Regions too; what they do is in `rds.md`. */
export const copyCalls: Handlers = {
  CopyDBSnapshot: (params, world) => {
    const id = idIn(params, 'TargetDBSnapshotIdentifier');
    refuseNew(world, world.snapshots, id, 'DBSnapshotAlreadyExists', 'SnapshotQuotaExceeded');
    const arn = text(params, 'SourceDBSnapshotIdentifier');
    const at = worldOf(world, arn, 'DBSnapshotNotFound');
    const from = found(at.snapshots, idIn(params, 'SourceDBSnapshotIdentifier'), 'DBSnapshotNotFound', 'DBSnapshot');
    refuseUnsettled(at, from, 'InvalidDBSnapshotState');
    const { shape } = from;
    const key = keyFor(world, at, params, { key: shape.KmsKeyId, encrypted: shape.Encrypted === true });
    const about = at === world ? {} : { SourceDBSnapshotIdentifier: shape.DBSnapshotArn };
    const tags = { TagList: copiedTags(world, at, params, shape.TagList) };
    const copy: DBSnapshot = { ...shape, ...named(world, id), ...about, ...tags, ...key };
    const { course, madeAt } = born(world, id);
    const gone = () => at.snapshots.get(shape.DBSnapshotIdentifier ?? '') !== from;
    world.snapshots.set(id, {
      ...{ shape: { ...copy, SnapshotCreateTime: world.now() }, madeAt },
      course: copying(course, gone),
    });
    return { DBSnapshot: seenSnapshot(world, found(world.snapshots, id, '', '')) };
  },
  CopyDBClusterSnapshot: (params, world) => {
    const id = idIn(params, 'TargetDBClusterSnapshotIdentifier');
    const taken = world.clusterSnapshots;
    refuseNew(world, taken, id, 'DBClusterSnapshotAlreadyExistsFault', 'SnapshotQuotaExceeded');
    const [arn, code] = [text(params, 'SourceDBClusterSnapshotIdentifier'), 'DBClusterSnapshotNotFoundFault'];
    const at = worldOf(world, arn, code);
    const named = idIn(params, 'SourceDBClusterSnapshotIdentifier');
    const from = found(at.clusterSnapshots, named, code, 'DBClusterSnapshot');
    refuseUnsettled(at, from, 'InvalidDBClusterSnapshotStateFault');
    const { shape } = from;
    const encrypted = shape.StorageEncrypted === true;
    if (!encrypted && 'KmsKeyId' in params) throw new Refusal('InvalidParameterCombination', 'It is not encrypted.');
    const key = keyFor(world, at, params, { key: shape.KmsKeyId, encrypted });
    const about = at === world ? {} : { SourceDBClusterSnapshotArn: shape.DBClusterSnapshotArn };
    const tags = { TagList: copiedTags(world, at, params, shape.TagList) };
    const copy: DBClusterSnapshot = { ...shape, ...namedOfCluster(world, id), ...about, ...tags, ...key };
    const { course, madeAt } = born(world, id);
    const gone = () => at.clusterSnapshots.get(named) !== from;
    taken.set(id, {
      ...{ shape: { ...copy, SnapshotCreateTime: world.now() }, madeAt },
      course: copying(course, gone),
    });
    return { DBClusterSnapshot: seenClusterSnapshot(world, found(taken, id, '', '')) };
  },
  ModifyDBSnapshotAttribute: (params, world) => {
    const snapshot = snapshotNamed(params, world);
    refuseUnsettled(world, snapshot, 'InvalidDBSnapshotState');
    share(world, params, snapshot, snapshot.shape.DBSnapshotArn ?? '');
    return copyCalls['DescribeDBSnapshotAttributes']?.(params, world) ?? {};
  },
  ModifyDBClusterSnapshotAttribute: (params, world) => {
    const snapshot = clusterSnapshotNamed(params, world);
    refuseUnsettled(world, snapshot, 'InvalidDBClusterSnapshotStateFault');
    share(world, params, snapshot, snapshot.shape.DBClusterSnapshotArn ?? '');
    return copyCalls['DescribeDBClusterSnapshotAttributes']?.(params, world) ?? {};
  },
  DescribeDBSnapshotAttributes: (params, world) => {
    const { DBSnapshotIdentifier, DBSnapshotArn: arn } = snapshotNamed(params, world).shape;
    const DBSnapshotAttributes = [{ AttributeName: 'restore', AttributeValues: sharedWith(world, arn) }];
    return { DBSnapshotAttributesResult: { DBSnapshotIdentifier, DBSnapshotAttributes } };
  },
  DescribeDBClusterSnapshotAttributes: (params, world) => {
    const { DBClusterSnapshotIdentifier, DBClusterSnapshotArn: arn } = clusterSnapshotNamed(params, world).shape;
    const DBClusterSnapshotAttributes = [{ AttributeName: 'restore', AttributeValues: sharedWith(world, arn) }];
    return { DBClusterSnapshotAttributesResult: { DBClusterSnapshotIdentifier, DBClusterSnapshotAttributes } };
  },
};

const sharedWith = (world: World, arn = ''): string[] => [...(world.shared.get(arn) ?? [])].sort();

/** Of the account and Region that an ARN names; a bare name is of this one. */
function worldOf(world: World, arn: string, code: string): World {
  const [, , , region, account] = arn.split(':');
  if (region === undefined || (region === world.region && account === world.account)) return world;
  const at = world.elsewhere.find((each) => each.region === region && each.account === account);
  const open = at?.account === world.account || at?.shared.get(arn)?.has(world.account) === true;
  if (at === undefined || !open) throw new Refusal(code, `${arn} not found.`, 404);
  return at;
}

function keyFor(
  world: World,
  at: World,
  params: Params,
  { key, encrypted }: { readonly key: string | undefined; readonly encrypted: boolean },
) {
  const asked = typeof params['KmsKeyId'] === 'string' ? params['KmsKeyId'] : undefined;
  const foreign = at.account !== world.account;
  if (foreign && encrypted && asked === undefined) {
    throw new Refusal('InvalidParameterCombination', 'A shared encrypted snapshot is copied with a key of your own.');
  }
  if (foreign && key !== undefined && at.closedKeys.has(key)) throw inaccessible(key);
  if (at.region !== world.region && !('PreSignedUrl' in params)) {
    throw new Refusal('MissingParameter', 'The request must contain the parameter PreSignedUrl.');
  }
  refuseDisabledKey(at, key);
  const meant = asked ?? key;
  refuseDisabledKey(world, meant);
  const [, , , region = world.region] = meant?.split(':') ?? [];
  if (meant !== undefined && region !== world.region) throw inaccessible(meant);
  return { KmsKeyId: meant };
}

const inaccessible = (key: string): Refusal =>
  new Refusal('KMSKeyNotAccessibleFault', `The KMS key ${key} does not exist, is not enabled or is not yours to use.`);

const copiedTags = (world: World, at: World, params: Params, tags: DBSnapshot['TagList'] = []) =>
  'Tags' in params || params['CopyTags'] !== 'true' || at.account !== world.account ? tagsIn(params) : [...tags];

const copying =
  (course: Course, gone: () => boolean): Course =>
  (seconds) => {
    const now = course(seconds);
    if (now.status !== 'creating') return now;
    return { ...now, status: gone() ? 'failed' : 'copying' };
  };

function share(world: World, params: Params, { shape }: Snapshot | ClusterSnapshot, arn: string): void {
  if (text(params, 'AttributeName') !== 'restore') throw new Refusal('InvalidParameterValue', 'Only restore is known.');
  if (shape.KmsKeyId !== undefined && world.defaultKeys.has(shape.KmsKeyId)) {
    throw new Refusal('InvalidParameterValue', 'A snapshot that is encrypted with the default key cannot be shared.');
  }
  const listed = (name: string) => (params[name] ?? []) as readonly string[];
  const accounts = new Set([...sharedWith(world, arn), ...listed('ValuesToAdd')]);
  for (const each of listed('ValuesToRemove')) accounts.delete(each);
  if (accounts.size > 20) throw new Refusal('SharedSnapshotQuotaExceeded', 'It is shared with 20 accounts already.');
  world.shared.set(arn, accounts);
}
