import { Duration, Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { secondVaultRoleName } from '../../core/deployed-names.ts';
import { copyVault } from '../../lambdas/copy-vault/contract.ts';
import { allow } from '../grants.ts';
import type { SecondPlace } from '../second-vault-place.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

/** The only role that may read artifacts: to copy them, as they are, into the one bucket of the second vault. */
export class CopyVault extends StepLambda<typeof copyVault> {
  constructor(scope: Construct, storage: Storage, place: SecondPlace) {
    super(scope, 'CopyVault', {
      step: copyVault,
      roleName: secondVaultRoleName(storage.network),
      timeout: Duration.minutes(14),
      // A whole CPU: it hashes all that it copies, and holds the listings' digests of every set.
      memoryMiB: 1769,
      environment: {
        ...storage.lockingEnvironment,
        ...{ SECOND_BUCKET: place.bucket, SECOND_PREFIX: place.prefix },
        ...{ SECOND_ACCOUNT: place.account, SECOND_REGION: place.region },
      },
      grant: (role) => {
        storage.grantRead(role, ['*']);
        allowFilling(role, place);
      },
    });
  }
}

/** The other account's policies have to say the same, and do: `SecondVaultStack`. */
function allowFilling(role: Role, { bucket, prefix, account, region }: SecondPlace): void {
  const { partition } = Stack.of(role);
  const arn = `arn:${partition}:s3:::${bucket}`;
  // A bucket of the same name that somebody else made after that one was deleted is another.
  const ofTheOther = { StringEquals: { 's3:ResourceAccount': account } };
  allow(role, {
    because: 'It sees what the second vault lacks.',
    actions: ['s3:ListBucket'],
    resources: [arn],
    conditions: ofTheOther,
  });
  allow(role, {
    because:
      'It adds objects to the second vault, whose bucket refuses what would overwrite, and compares what is there.',
    actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'],
    resources: [`${arn}/${prefix}*`],
    conditions: ofTheOther,
  });
  allow(role, {
    because: 'A copy is locked against deletion from the moment it is there; it may not lift or shorten a lock.',
    actions: ['s3:PutObjectRetention'],
    resources: [`${arn}/${prefix}*`],
    conditions: ofTheOther,
  });
  allow(role, {
    because:
      'S3 seals and opens objects of that bucket alone with a key of the other account, whose id is known there.',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [`arn:${partition}:kms:${region}:${account}:key/*`],
    conditions: {
      StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
      StringLike: { 'kms:EncryptionContext:aws:s3:arn': [arn, `${arn}/*`] },
    },
  });
}
