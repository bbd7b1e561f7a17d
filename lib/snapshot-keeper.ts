import { Stack } from 'aws-cdk-lib';
import { AccountPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import {
  secondSnapshotsRoleName,
  snapshotCopyPattern,
  snapshotKeeperRoleName,
  snapshotPrefix,
} from '../core/deployed-names.ts';
import { TAG } from '../core/snapshots.ts';
import { allow } from './grants.ts';

/** Where the snapshots come from. */
export interface SnapshotOrigin {
  readonly network: string;
  readonly account: string;
  readonly region: string;
}

/**
 * The role of the second account that copies snapshots into it, for the one role of the first account that may assume it.
 * It can neither delete, share, change nor restore one: whoever takes the first account over gets no copy gone.
 */
export function snapshotKeeper(scope: Construct, key: Key, origin: SnapshotOrigin): Role {
  const { network, account } = origin;
  const { partition } = Stack.of(scope);
  const from = `arn:${partition}:iam::${account}:role/${secondSnapshotsRoleName(network)}`;
  const role = new Role(scope, 'SnapshotKeeper', {
    roleName: snapshotKeeperRoleName(network),
    description: `Copies snapshots of ${network} into its second vault`,
    // By a condition, so that the two stacks may be deployed in either order.
    assumedBy: new AccountPrincipal(account).withConditions({ ArnEquals: { 'aws:PrincipalArn': from } }),
  });
  allowCopying(role, origin);
  allowKeys(role, key, origin);
  return role;
}

function allowCopying(role: Role, { network, account, region }: SnapshotOrigin): void {
  const { partition, account: own, region: here } = Stack.of(role);
  const kinds = ['snapshot', 'cluster-snapshot'] as const;
  const copies = kinds.map((kind) => `arn:${partition}:rds:${here}:${own}:${kind}:${snapshotCopyPattern(network)}`);
  const sources = kinds.map((kind) => `arn:${partition}:rds:${region}:${account}:${kind}:${snapshotPrefix(network)}*`);
  allow(role, {
    because: 'It copies what the first account shares with this one, under names of its own.',
    actions: ['rds:CopyDBSnapshot', 'rds:CopyDBClusterSnapshot'],
    resources: [...sources, ...copies],
  });
  allow(role, {
    because: 'Tags are given in the call that copies, and say what set a copy belongs to.',
    actions: ['rds:AddTagsToResource'],
    resources: copies,
    conditions: { StringEquals: { [`aws:RequestTag/${TAG.network}`]: network } },
  });
  const any = ['db', 'cluster'].map((kind) => `arn:${partition}:rds:${here}:${own}:${kind}:*`);
  allow(role, {
    because: 'It sees how far a copy is. RDS asks for the right to the database, too, which is not in this account.',
    actions: ['rds:DescribeDBSnapshots', 'rds:DescribeDBClusterSnapshots'],
    resources: [...any, ...copies],
  });
  allow(role, {
    because: 'It reads how much room there is for copies; the quota is the account’s, and has no ARN.',
    actions: ['rds:DescribeAccountAttributes'],
    resources: ['*'],
  });
}

/** RDS uses both keys on behalf of whoever calls it: it opens with the one, and seals with the other. */
function allowKeys(role: Role, key: Key, { account, region }: SnapshotOrigin): void {
  const { partition, region: here } = Stack.of(role);
  const theirs = `arn:${partition}:kms:${region}:${account}:key/*`;
  const through = (...regions: string[]) => [...new Set(regions)].map((each) => `rds.${each}.amazonaws.com`);
  const viaRds = { StringEquals: { 'kms:ViaService': through(region, here) } };
  allow(role, {
    because: 'RDS opens a shared snapshot with its own key; the first account’s key policy must say so as well.',
    actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom'],
    resources: [theirs],
    conditions: viaRds,
  });
  allow(role, {
    because: 'RDS seals the copy with the key of the second vault.',
    actions: [
      ...['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
      ...['kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptTo'],
    ],
    resources: [key.keyArn],
    conditions: viaRds,
  });
  allow(role, {
    because: 'RDS copies for longer than the call lasts, and is granted both keys for that; nobody but a service is.',
    actions: ['kms:CreateGrant'],
    resources: [theirs, key.keyArn],
    conditions: { ...viaRds, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
  });
}
