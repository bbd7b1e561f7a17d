import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  BucketNamespace,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type * as z from 'zod';
import { memberKeyPolicy, memberKeyStatement, memberPolicy } from '../core/member-policy.ts';
import {
  ABORT_UPLOADS_AFTER_DAYS,
  accountRegionalPrefix,
  bucketName,
  describeKey,
  MemberBucketSpec,
} from '../core/member-template.ts';

export type MemberBucketProps = z.input<typeof MemberBucketSpec>;

/**
 * A member's own bucket, in the member's account: the operator's delivery role may add files under the member's prefix,
 * each once, and has no other right. Bucket and key outlive the stack. Throws where a property is not well formed.
 */
export class MemberBucket extends Construct {
  readonly bucket: Bucket;
  /** The member's own, where the bucket has one. */
  readonly key: IKey | undefined;
  /** What the policy of a key that was there before has to have; a new one has it. */
  readonly keyStatement: PolicyStatement;

  constructor(scope: Construct, id: string, props: MemberBucketProps) {
    super(scope, id);
    const spec = MemberBucketSpec.parse(props);
    const place = Stack.of(this);
    const access = { ...spec, bucket: bucketName(spec, place) };
    this.keyStatement = PolicyStatement.fromJson(memberKeyStatement(access, place.region));
    this.key = this.#key(spec);
    this.bucket = new Bucket(this, 'Bucket', {
      ...nameOf(spec),
      ...lockOf(spec),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      ...(this.key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey: this.key, bucketKeyEnabled: true }),
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(ABORT_UPLOADS_AFTER_DAYS) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const { Statement } = memberPolicy({ ...access, bucket: this.bucket.bucketName, keyArn: this.key?.keyArn });
    for (const statement of Statement) this.bucket.addToResourcePolicy(PolicyStatement.fromJson(statement));
    const reason = 'How accesses are logged is for the member to say, as for its other buckets.';
    Validations.of(this.bucket).acknowledge({ id: 'AwsSolutions-S1', reason });
  }

  #key(spec: MemberBucketSpec): IKey | undefined {
    if (spec.key === undefined) return undefined;
    if (spec.key !== 'new') return Key.fromKeyArn(this, 'Key', spec.key);
    const place = Stack.of(this);
    // Of the bucket the policy has the name alone: a reference would go round in a circle.
    const policy = memberKeyPolicy({ ...spec, bucket: bucketName(spec, place) }, place);
    return new Key(this, 'Key', {
      ...{ description: describeKey(spec), enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN },
      policy: PolicyDocument.fromJson(policy),
    });
  }
}

function nameOf(spec: MemberBucketSpec) {
  const bucketNamePrefix = accountRegionalPrefix(spec);
  if (bucketNamePrefix !== undefined) return { bucketNamePrefix, bucketNamespace: BucketNamespace.ACCOUNT_REGIONAL };
  return spec.bucket === undefined ? {} : { bucketName: spec.bucket };
}

function lockOf({ lock }: MemberBucketSpec) {
  if (lock === undefined) return {};
  const [forDays, { mode }] = [Duration.days(lock.days), lock];
  const objectLockDefaultRetention =
    mode === 'GOVERNANCE' ? ObjectLockRetention.governance(forDays) : ObjectLockRetention.compliance(forDays);
  return { objectLockEnabled: true, objectLockDefaultRetention };
}
