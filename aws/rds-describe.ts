import {
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  type RDSClient,
  type Tag,
} from '@aws-sdk/client-rds';
import type { SnapshotKind, SourceSettings } from '../core/snapshots.ts';
import { callRds, unlessRds } from './rds-errors.ts';

/** An instance or cluster, as far as a capture must know it. */
export interface RdsSourceFacts {
  readonly arn: string;
  readonly status: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly encrypted: boolean;
  readonly kmsKey: string | undefined;
  /** Whom it replicates from; undefined for a primary. */
  readonly replicaOf: string | undefined;
  /** Of an instance: the cluster that it is a member of. */
  readonly memberOf: string | undefined;
  readonly settings: SourceSettings;
}

/** A snapshot, as far as a capture must know it. */
export interface SnapshotFacts {
  readonly arn: string;
  readonly status: string;
  readonly source: string;
  /** ARN of the snapshot that it is a copy of; RDS says so of copies from another account or Region alone. */
  readonly copyOf: string | undefined;
  readonly engine: string;
  readonly engineVersion: string;
  readonly createdAt: Date | undefined;
  readonly allocatedGibibytes: number;
  readonly kmsKey: string | undefined;
  readonly percent: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** Undefined if there is none of that name. */
export const describeSource = (
  client: RDSClient,
  kind: SnapshotKind,
  id: string,
): Promise<RdsSourceFacts | undefined> =>
  kind === 'cluster' ? describeCluster(client, id) : describeInstance(client, id);

async function describeInstance(client: RDSClient, id: string): Promise<RdsSourceFacts | undefined> {
  const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: id });
  const answer = await unlessRds(id, 'DBInstanceNotFound', () => client.send(command));
  const found = answer?.DBInstances?.[0];
  if (found === undefined) return undefined;
  return {
    arn: found.DBInstanceArn ?? '',
    status: found.DBInstanceStatus ?? 'without a status',
    engine: found.Engine ?? '',
    engineVersion: found.EngineVersion ?? '',
    encrypted: found.StorageEncrypted === true,
    kmsKey: found.KmsKeyId,
    replicaOf: found.ReadReplicaSourceDBInstanceIdentifier ?? found.ReadReplicaSourceDBClusterIdentifier,
    memberOf: found.DBClusterIdentifier,
    settings: settingsOf({
      instanceClass: found.DBInstanceClass,
      subnetGroup: found.DBSubnetGroup?.DBSubnetGroupName,
      parameterGroup: found.DBParameterGroups?.[0]?.DBParameterGroupName,
      optionGroup: found.OptionGroupMemberships?.[0]?.OptionGroupName,
      securityGroups: (found.VpcSecurityGroups ?? []).flatMap(({ VpcSecurityGroupId: group }) => group ?? []),
      port: found.Endpoint?.Port,
      multiAz: found.MultiAZ === true,
      iamAuthentication: found.IAMDatabaseAuthenticationEnabled === true,
      deletionProtection: found.DeletionProtection === true,
    }),
  };
}

async function describeCluster(client: RDSClient, id: string): Promise<RdsSourceFacts | undefined> {
  const command = new DescribeDBClustersCommand({ DBClusterIdentifier: id });
  const answer = await unlessRds(id, 'DBClusterNotFound', () => client.send(command));
  const found = answer?.DBClusters?.[0];
  if (found === undefined) return undefined;
  const writer = found.DBClusterMembers?.find(({ IsClusterWriter }) => IsClusterWriter === true)?.DBInstanceIdentifier;
  return {
    arn: found.DBClusterArn ?? '',
    status: found.Status ?? 'without a status',
    engine: found.Engine ?? '',
    engineVersion: found.EngineVersion ?? '',
    encrypted: found.StorageEncrypted === true,
    kmsKey: found.KmsKeyId,
    replicaOf: found.ReplicationSourceIdentifier,
    memberOf: undefined,
    settings: settingsOf({
      // A Multi-AZ cluster says it itself; Aurora's instances may differ, and the writer's is what the node uses.
      instanceClass: found.DBClusterInstanceClass ?? (await classOf(client, writer)),
      subnetGroup: found.DBSubnetGroup,
      parameterGroup: found.DBClusterParameterGroup,
      securityGroups: (found.VpcSecurityGroups ?? []).flatMap(({ VpcSecurityGroupId: group }) => group ?? []),
      port: found.Port,
      multiAz: found.MultiAZ === true,
      iamAuthentication: found.IAMDatabaseAuthenticationEnabled === true,
      deletionProtection: found.DeletionProtection === true,
    }),
  };
}

async function classOf(client: RDSClient, instance: string | undefined): Promise<string | undefined> {
  if (instance === undefined) return undefined;
  const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: instance });
  const { DBInstances } = await callRds(instance, () => client.send(command));
  return DBInstances?.[0]?.DBInstanceClass;
}

type Given<T> = { readonly [K in keyof T]: T[K] | undefined };

/** Without what RDS did not say. */
const settingsOf = (given: Given<SourceSettings>): SourceSettings =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as SourceSettings;

/** Undefined if there is none of that name. */
export const describeSnapshot = (
  client: RDSClient,
  kind: SnapshotKind,
  id: string,
): Promise<SnapshotFacts | undefined> =>
  kind === 'cluster' ? describeClusterSnapshot(client, id) : describeInstanceSnapshot(client, id);

async function describeInstanceSnapshot(client: RDSClient, id: string): Promise<SnapshotFacts | undefined> {
  const command = new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id });
  const answer = await unlessRds(id, 'DBSnapshotNotFound', () => client.send(command));
  const found = answer?.DBSnapshots?.[0];
  return found && factsOf({ ...found, arn: found.DBSnapshotArn, source: found.DBInstanceIdentifier });
}

async function describeClusterSnapshot(client: RDSClient, id: string): Promise<SnapshotFacts | undefined> {
  const command = new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier: id });
  const answer = await unlessRds(id, 'DBClusterSnapshotNotFound', () => client.send(command));
  const found = answer?.DBClusterSnapshots?.[0];
  return found && factsOf({ ...found, arn: found.DBClusterSnapshotArn, source: found.DBClusterIdentifier });
}

/** What both kinds of snapshot call alike, and what each calls a copy's source. */
interface Snapshot {
  readonly arn?: string | undefined;
  readonly source?: string | undefined;
  readonly SourceDBSnapshotIdentifier?: string | undefined;
  readonly SourceDBClusterSnapshotArn?: string | undefined;
  readonly Status?: string | undefined;
  readonly Engine?: string | undefined;
  readonly EngineVersion?: string | undefined;
  readonly SnapshotCreateTime?: Date | undefined;
  readonly AllocatedStorage?: number | undefined;
  readonly KmsKeyId?: string | undefined;
  readonly PercentProgress?: number | undefined;
  readonly TagList?: Tag[] | undefined;
}

const factsOf = (found: Snapshot): SnapshotFacts => ({
  arn: found.arn ?? '',
  status: found.Status ?? 'without a status',
  source: found.source ?? '',
  copyOf: found.SourceDBSnapshotIdentifier ?? found.SourceDBClusterSnapshotArn,
  engine: found.Engine ?? '',
  engineVersion: found.EngineVersion ?? '',
  createdAt: found.SnapshotCreateTime,
  allocatedGibibytes: found.AllocatedStorage ?? 0,
  kmsKey: found.KmsKeyId,
  percent: found.PercentProgress ?? 0,
  tags: tagsOf(found.TagList),
});

export const tagsOf = (tags: readonly Tag[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

export const asTags = (tags: Readonly<Record<string, string>>): Tag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
