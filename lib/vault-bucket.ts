import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { onlyWriteOnce } from '../core/bucket-policy.ts';

export interface VaultBucketProps {
  /** Encrypts its objects at rest. */
  readonly key: Key;
  /** Where in the bucket the vault is: empty, or ending in `/`. */
  readonly prefix: string;
  /** Default: a name that CloudFormation makes. */
  readonly name?: string;
}

const closed = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  // Only a creation that fails takes it back: else its keys and names would be left over from each attempt.
  removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
};

/** What retention removed can be brought back for a month. A lock that lasts longer is stronger than this rule. */
const HIDDEN = { noncurrentVersionExpiration: Duration.days(30), expiredObjectDeleteMarker: true };

/** A bucket for a vault, that outlives its stack: nothing in it is overwritten, and no record is lost. */
export function vaultBucket(scope: Construct, { key, prefix, name }: VaultBucketProps): Bucket {
  const bucket = new Bucket(scope, 'Vault', {
    ...closed,
    ...(name === undefined ? {} : { bucketName: name }),
    versioned: true,
    // For the objects that ask for it; a default would also lock what retention has to remove.
    objectLockEnabled: true,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    lifecycleRules: [{ ...HIDDEN, abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    serverAccessLogsBucket: accessLogs(scope) as IBucket,
  });
  bucket.addToResourcePolicy(PolicyStatement.fromJson(onlyWriteOnce(bucket.arnForObjects('*'))));
  bucket.addToResourcePolicy(recordsStay(bucket, prefix));
  return bucket;
}

function accessLogs(scope: Construct): Bucket {
  const logs = new Bucket(scope, 'AccessLogs', {
    ...closed,
    // S3 delivers its logs to no bucket with a key of ours.
    encryption: BucketEncryption.S3_MANAGED,
    // Long enough to look back over a year's audit.
    lifecycleRules: [{ expiration: Duration.days(400) }],
  });
  Validations.of(logs).acknowledge({ id: 'AwsSolutions-S1', reason: 'It is the bucket of the access logs.' });
  return logs;
}

/** Retention may delete what lies beside receipts, and by name alone the two cannot be told apart in a role. */
function recordsStay(bucket: Bucket, prefix: string): PolicyStatement {
  const kinds = ['sets/*/receipts/*', 'sets/*/manifests/*', 'sets/*/tombstones/*', 'keys/*', 'format.json'];
  return new PolicyStatement({
    sid: 'RecordsStay',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
    resources: kinds.map((kind) => bucket.arnForObjects(`${prefix}${kind}`)),
  });
}
