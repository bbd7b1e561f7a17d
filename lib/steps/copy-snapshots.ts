import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import {
  secondSnapshotsRoleName,
  secondVaultKeyAlias,
  snapshotKeeperRoleName,
  snapshotPrefix,
} from '../../core/deployed-names.ts';
import { TAG } from '../../core/snapshots.ts';
import { copySnapshots } from '../../lambdas/copy-snapshots/contract.ts';
import { allow } from '../grants.ts';
import type { SecondPlace } from '../second-vault-place.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

/**
 * The only role that may share a snapshot: no step of a backup may. It takes none itself and deletes none, in either
 * account; what it does in the second one it does in that account's own role.
 */
export class CopySnapshots extends StepLambda<typeof copySnapshots> {
  constructor(scope: Construct, storage: Storage, place: SecondPlace) {
    const { network } = storage;
    const { partition } = Stack.of(scope);
    const { bucket, prefix, account, region } = place;
    const keeper = `arn:${partition}:iam::${account}:role/${snapshotKeeperRoleName(network)}`;
    super(scope, 'CopySnapshots', {
      step: copySnapshots,
      roleName: secondSnapshotsRoleName(network),
      // It looks at a hundred snapshots at most, one after the other.
      timeout: Duration.minutes(5),
      environment: {
        ...storage.lockingEnvironment,
        ...{ SECOND_BUCKET: bucket, SECOND_PREFIX: prefix, SECOND_ACCOUNT: account, SECOND_REGION: region },
        SECOND_ROLE: keeper,
        SECOND_KEY: `arn:${partition}:kms:${region}:${account}:${secondVaultKeyAlias(network)}`,
      },
      grant: (role) => {
        storage.grant(role, {
          read: ['sets/*/manifests/*', 'sets/*/tombstones/*', 'sets/*/runs/*.snapshot.json', 'leases/*/seen/*'],
          writeOnce: ['leases/*/seen/*'],
        });
        allowSharing(role, network);
        allow(role, {
          because: 'In the second account it copies snapshots as that account’s own role, which can delete none.',
          actions: ['sts:AssumeRole'],
          resources: [keeper],
        });
        allowTelling(role, place);
      },
    });
  }
}

function allowSharing(role: Role, network: string): void {
  const ours = (resource: string) =>
    Stack.of(role).formatArn({
      ...{ service: 'rds', resource, resourceName: `${snapshotPrefix(network)}*` },
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  // A name alone can be given by anybody who makes snapshots in this account.
  const labelled = { StringEquals: { [`aws:ResourceTag/${TAG.network}`]: network } };
  const looks = 'It sees whether a snapshot is still the one that was sealed. Names end in slot and attempt.';
  const shares = 'It lets the second account copy a snapshot of ours, and ends that when the copy is there.';
  const anyOf = (resource: string) =>
    Stack.of(role).formatArn({
      ...{ service: 'rds', resource, resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME },
    });
  allow(role, {
    because: looks,
    actions: ['rds:DescribeDBSnapshots'],
    resources: [anyOf('db'), ours('snapshot')],
  });
  allow(role, {
    because: looks,
    actions: ['rds:DescribeDBClusterSnapshots'],
    resources: [anyOf('cluster'), ours('cluster-snapshot')],
  });
  allow(role, {
    ...{ because: shares, actions: ['rds:ModifyDBSnapshotAttribute'], resources: [ours('snapshot')] },
    conditions: labelled,
  });
  allow(role, {
    ...{ because: shares, actions: ['rds:ModifyDBClusterSnapshotAttribute'], resources: [ours('cluster-snapshot')] },
    conditions: labelled,
  });
}

/** The other account's policies have to say the same, and do: `SecondVaultStack`. */
function allowTelling(role: Role, { bucket, prefix, account, region }: SecondPlace): void {
  const { partition } = Stack.of(role);
  const arn = `arn:${partition}:s3:::${bucket}`;
  const ofTheOther = { StringEquals: { 's3:ResourceAccount': account } };
  allow(role, {
    because: 'Without the right to list, S3 answers 403 for an object that is absent.',
    actions: ['s3:ListBucket'],
    resources: [arn],
    conditions: ofTheOther,
  });
  allow(role, {
    because: 'It tells the second vault where the copy of a snapshot lies, and can add nothing else to it.',
    actions: ['s3:GetObject', 's3:PutObject', 's3:PutObjectRetention'],
    resources: [`${arn}/${prefix}${COPIES}`],
    conditions: ofTheOther,
  });
  allow(role, {
    because: 'S3 seals and opens these objects with a key of the other account, whose id is known there.',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [`arn:${partition}:kms:${region}:${account}:key/*`],
    conditions: {
      StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
      StringLike: { 'kms:EncryptionContext:aws:s3:arn': [arn, `${arn}/*`] },
    },
  });
}

/** Where a second vault says where copies lie (`copyKey`). */
export const COPIES = 'sets/*/runs/*/copies/*';
