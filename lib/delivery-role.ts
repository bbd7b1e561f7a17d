import { Duration, Stack, Token } from 'aws-cdk-lib';
import { ArnPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { deliveryRoleName } from '../core/deployed-names.ts';
import type { MemberAccounts } from '../core/member-list.ts';
import { allow } from './grants.ts';
import type { Storage } from './storage.ts';

/** Its ARN is known before it is made: members name it, and so does who assumes it. */
export function deliveryRoleArn(scope: Construct, network: string): string {
  const { partition, account } = Stack.of(scope);
  return `arn:${partition}:iam::${account}:role/${deliveryRoleName(network)}`;
}

/**
 * The one role that members' buckets let in. Who assumes it narrows it to one bucket and prefix of an account on the list:
 * what stands here is all that any delivery or check may have. `DeleteObject` reaches canaries alone, and is there to be
 * refused by the member. The list itself has no room in a policy: `docs/decisions/0015-the-list-of-members.md`.
 */
export function deliveryRole(scope: Construct, storage: Storage, accounts: MemberAccounts, assumedBy: Role): Role {
  const { partition } = Stack.of(scope);
  const role = new Role(scope, 'DeliveryRole', {
    roleName: deliveryRoleName(storage.network),
    assumedBy: new ArnPrincipal(assumedBy.roleArn),
    maxSessionDuration: Duration.hours(1),
  });
  const notOurs = exceptOurOwn(scope, accounts);
  const share = (key: string) => `arn:${partition}:s3:::*/ledgerhold/${storage.network}/${key}`;
  storage.grantRead(role, ['chain/*', 'keys/*', 'format.json']);
  allow(role, {
    because:
      'It adds to the shares of members, each of which lets it in by a policy of its own; which buckets, they say.',
    actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
    resources: [share('*')],
    conditions: notOurs('s3:ResourceAccount'),
  });
  allow(role, {
    because: 'It reads back what was delivered, to prove it again, where the member’s own policy lets it.',
    actions: ['s3:GetObject'],
    resources: [share('*')],
    conditions: notOurs('s3:ResourceAccount'),
  });
  allow(role, {
    because: 'A check has to see that the member refuses a deletion; it tries it on its own canary.',
    actions: ['s3:DeleteObject'],
    resources: [share('*/canary/*')],
    conditions: notOurs('s3:ResourceAccount'),
  });
  allow(role, {
    because: 'S3 seals with the key of the member’s bucket, where it has one of its own, and opens parts to join them.',
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    resources: [`arn:${partition}:kms:*:*:key/*`],
    conditions: { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com' }, ...notOurs('aws:ResourceAccount') },
  });
  return role;
}

/**
 * Another account has to let the role in itself. In our own nobody else is asked, so that what is no member's is left out,
 * unless the list has our account, or may have it: a stack without an environment does not know which one that is.
 */
function exceptOurOwn(scope: Construct, accounts: MemberAccounts) {
  const { account } = Stack.of(scope);
  const mayBeListed = Token.isUnresolved(account) || Object.values(accounts).includes(account);
  return (key: string): Record<string, Record<string, string>> =>
    mayBeListed ? {} : { StringNotEquals: { [key]: account } };
}
