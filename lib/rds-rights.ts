import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { CaptureSources } from '../core/capture-sources.ts';
import { snapshotPrefix } from '../core/deployed-names.ts';
import { TAG } from '../core/snapshots.ts';
import { allow } from './grants.ts';

/** ARNs of the databases that are captured by snapshots, and of the snapshots that they may have from us. */
export interface RdsResources {
  readonly instances: readonly string[];
  readonly clusters: readonly string[];
  readonly instanceSnapshots: readonly string[];
  readonly clusterSnapshots: readonly string[];
}

export function rdsResources(scope: Construct, network: string, captures: CaptureSources): RdsResources {
  const arn = (resource: string, resourceName: string) =>
    Stack.of(scope).formatArn({ service: 'rds', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  const sources = Object.entries(captures).flatMap(([node, components]) =>
    Object.values(components).flatMap((source) => ('rds' in source ? [{ node, ...source.rds }] : [])),
  );
  const ofKind = (kind: 'instance' | 'cluster') =>
    sources.flatMap((source) => (kind in source ? [{ node: source.node, id: String(Object.values(source)[1]) }] : []));
  const ours = (kind: 'instance' | 'cluster', resource: string) =>
    [...new Set(ofKind(kind).map(({ node }) => `${snapshotPrefix(network, node)}*`))].map((name) =>
      arn(resource, name),
    );
  return {
    instances: ofKind('instance').map(({ id }) => arn('db', id)),
    clusters: ofKind('cluster').map(({ id }) => arn('cluster', id)),
    instanceSnapshots: ours('instance', 'snapshot'),
    clusterSnapshots: ours('cluster', 'cluster-snapshot'),
  };
}

/** To see what has become of a snapshot. */
export function allowLooking(
  role: Role,
  { instances, clusters, instanceSnapshots, clusterSnapshots }: RdsResources,
): void {
  allow(role, {
    because:
      'It sees how far a snapshot is, and whether that of a predecessor is whole. Names end in slot and attempt.',
    actions: ['rds:DescribeDBSnapshots'],
    resources: [...instances, ...instanceSnapshots],
  });
  allow(role, {
    because:
      'It sees how far a snapshot is, and whether that of a predecessor is whole. Names end in slot and attempt.',
    actions: ['rds:DescribeDBClusterSnapshots'],
    resources: [...clusters, ...clusterSnapshots],
  });
}

/** To take snapshots of these databases, under names and with tags of ours, and to do nothing else with either. */
export function allowSnapshots(role: Role, network: string, resources: RdsResources): void {
  const { instances, clusters, instanceSnapshots, clusterSnapshots } = resources;
  const tagged = { StringEquals: { [`aws:RequestTag/${TAG.network}`]: network } };
  const because =
    'It takes snapshots of the databases that the configuration names, under names of ours, with our tags.';
  allow(role, {
    because,
    actions: ['rds:CreateDBSnapshot'],
    resources: [...instances, ...instanceSnapshots],
    conditions: tagged,
  });
  allow(role, {
    because,
    actions: ['rds:CreateDBClusterSnapshot'],
    resources: [...clusters, ...clusterSnapshots],
    conditions: tagged,
  });
  allow(role, {
    because: 'Tags are given in the call that makes a snapshot, and bear the proof of its order.',
    actions: ['rds:AddTagsToResource'],
    resources: [...instanceSnapshots, ...clusterSnapshots],
    conditions: tagged,
  });
  allowLookingAtSources(role, resources);
  allowLooking(role, resources);
}

/** To see whether a snapshot of these databases could be taken, and be of use. */
export function allowLookingAtSources(role: Role, { instances, clusters }: RdsResources): void {
  allow(role, {
    because: 'It looks at a database before a snapshot is taken: what kind it is, its state, its key, and no replica.',
    actions: ['rds:DescribeDBInstances'],
    // A cluster's instances are known at run time only.
    resources: clusters.length > 0 ? [...instances, anyInstance(role)] : instances,
  });
  allow(role, {
    because: 'It looks at a cluster before a snapshot is taken: its state, its key, and no replica.',
    actions: ['rds:DescribeDBClusters'],
    resources: clusters,
  });
}

/** To tell the default key of RDS, which no other account can be given, from one of the account's own. */
export function allowLookingAtKeys(role: Role, { instances, clusters }: RdsResources): void {
  const { partition, region, account } = Stack.of(role);
  allow(role, {
    because: 'It refuses a database whose key no other account could use; which key that is is known at run time only.',
    actions: ['kms:DescribeKey'],
    resources: instances.length + clusters.length === 0 ? [] : [`arn:${partition}:kms:${region}:${account}:key/*`],
  });
}

const anyInstance = (scope: Construct): string =>
  Stack.of(scope).formatArn({
    ...{ service: 'rds', resource: 'db', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME },
  });
