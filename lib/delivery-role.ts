import { Duration, Stack } from 'aws-cdk-lib';
import { ArnPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { deliveryRoleName } from '../core/deployed-names.ts';
import { allow } from './grants.ts';
import type { Storage } from './storage.ts';

/** Its ARN is known before it is made: members name it, and so does who assumes it. */
export function deliveryRoleArn(scope: Construct, network: string): string {
  const { partition, account } = Stack.of(scope);
  return `arn:${partition}:iam::${account}:role/${deliveryRoleName(network)}`;
}

/**
 * The one role that members' buckets let in. Who assumes it narrows it to one bucket and prefix: what stands here is all
 * that any delivery or check may have. `DeleteObject` reaches canaries alone, and is there to be refused by the member.
 */
export function deliveryRole(scope: Construct, storage: Storage, accounts: readonly string[], assumedBy: Role): Role {
  const { partition } = Stack.of(scope);
  const role = new Role(scope, 'DeliveryRole', {
    roleName: deliveryRoleName(storage.network),
    assumedBy: new ArnPrincipal(assumedBy.roleArn),
    maxSessionDuration: Duration.hours(1),
  });
  const listed = { StringEquals: { 's3:ResourceAccount': [...accounts] } };
  const share = (key: string) => `arn:${partition}:s3:::*/ledgerhold/${storage.network}/${key}`;
  storage.grantRead(role, ['chain/*', 'keys/*', 'format.json']);
  allow(role, {
    because: 'It adds to the shares of members whose accounts are on the list; which buckets these are, members say.',
    actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
    resources: [share('*')],
    conditions: listed,
  });
  allow(role, {
    because: 'It reads back what was delivered, to prove it again, where the member’s own policy lets it.',
    actions: ['s3:GetObject'],
    resources: [share('*')],
    conditions: listed,
  });
  allow(role, {
    because: 'A check has to see that the member refuses a deletion; it tries it on its own canary.',
    actions: ['s3:DeleteObject'],
    resources: [share('*/canary/*')],
    conditions: listed,
  });
  allow(role, {
    because: 'S3 seals with the key of the member’s bucket, where it has one of its own, and opens parts to join them.',
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    resources: accounts.map((account) => `arn:${partition}:kms:*:${account}:key/*`),
    conditions: { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com' } },
  });
  return role;
}
