import { memberKeyPolicy, memberPolicy } from '../../core/member-policy.ts';
import {
  ABORT_UPLOADS_AFTER_DAYS,
  accessOf,
  accountRegionalPrefix,
  bucketName,
  describeKey,
  type MemberBucketSpec,
} from '../../core/member-template.ts';
import { block, expression, type HclBody, jsonencode } from './hcl.ts';

/** What stands in Terraform for what is known only there. */
const HERE = { account: '${data.aws_caller_identity.current.account_id}', region: '${data.aws_region.current.region}' };
const NEW_KEY = '${aws_kms_key.ledgerhold.arn}';
/** What the bucket is called is said once. */
const NAMED = '${local.bucket}';

/** The first version of the provider that knows account-regional names. */
const PROVIDER = { source: 'hashicorp/aws', version: '>= 6.37.0' };
const KEPT = { prevent_destroy: true };

/** The member's side as a Terraform module, a line each. */
export function memberTerraform(spec: MemberBucketSpec): string[] {
  const access = { ...accessOf(spec, HERE, NEW_KEY), bucket: NAMED };
  const resources = {
    ...(spec.key === 'new' && {
      aws_kms_key: {
        ...{ description: describeKey(spec), enable_key_rotation: true },
        ...{ policy: jsonencode(memberKeyPolicy(access, HERE)), lifecycle: KEPT },
      },
    }),
    ...bucketResources(spec, access.keyArn),
    aws_s3_bucket_policy: onBucket({
      policy: jsonencode(memberPolicy(access)),
      depends_on: expression('[aws_s3_bucket_public_access_block.ledgerhold]'),
    }),
  } satisfies Record<string, HclBody>;
  const blocks = [
    block(['terraform'], { required_providers: { aws: expression(objectOf(PROVIDER)) } }),
    block(['data', 'aws_caller_identity', 'current'], {}),
    block(['data', 'aws_region', 'current'], {}),
    block(['locals'], { bucket: bucketName(spec, HERE) }),
    ...Object.entries(resources).map(([type, body]) => block(['resource', type, 'ledgerhold'], body)),
    block(['output', 'bucket_name'], { value: expression('aws_s3_bucket.ledgerhold.id') }),
    ...(access.keyArn === undefined ? [] : [block(['output', 'key_arn'], { value: access.keyArn })]),
  ];
  const title = `# Ledgerhold: the bucket of ${spec.member} for the files of ${spec.network}. A module of its own.`;
  return [title, ...blocks.flatMap((lines) => ['', ...lines])];
}

const objectOf = (values: Readonly<Record<string, string>>): string => {
  const width = Math.max(...Object.keys(values).map((name) => name.length));
  const lines = Object.entries(values).map(([name, value]) => `  ${name.padEnd(width)} = ${JSON.stringify(value)}`);
  return ['{', ...lines, '}'].join('\n');
};

const onBucket = (body: HclBody): HclBody => ({ bucket: expression('aws_s3_bucket.ledgerhold.id'), ...body });

function bucketResources(spec: MemberBucketSpec, keyArn: string | undefined): Readonly<Record<string, HclBody>> {
  const { lock } = spec;
  const closed = {
    block_public_acls: true,
    block_public_policy: true,
    ignore_public_acls: true,
    restrict_public_buckets: true,
  };
  const kms = { sse_algorithm: 'aws:kms', kms_master_key_id: keyArn };
  const abort = { abort_incomplete_multipart_upload: { days_after_initiation: ABORT_UPLOADS_AFTER_DAYS } };
  return {
    aws_s3_bucket: {
      bucket: expression('local.bucket'),
      bucket_namespace: accountRegionalPrefix(spec) === undefined ? undefined : 'account-regional',
      object_lock_enabled: lock && true,
      lifecycle: KEPT,
    },
    aws_s3_bucket_public_access_block: onBucket(closed),
    aws_s3_bucket_ownership_controls: onBucket({ rule: { object_ownership: 'BucketOwnerEnforced' } }),
    aws_s3_bucket_versioning: onBucket({ versioning_configuration: { status: 'Enabled' } }),
    aws_s3_bucket_server_side_encryption_configuration: onBucket({
      rule: {
        bucket_key_enabled: keyArn === undefined ? undefined : true,
        apply_server_side_encryption_by_default: keyArn === undefined ? { sse_algorithm: 'AES256' } : kms,
      },
    }),
    aws_s3_bucket_lifecycle_configuration: onBucket({
      rule: { id: 'abort-unfinished-uploads', status: 'Enabled', filter: {}, ...abort },
    }),
    ...(lock && {
      aws_s3_bucket_object_lock_configuration: onBucket({
        rule: { default_retention: { mode: lock.mode, days: lock.days } },
        depends_on: expression('[aws_s3_bucket_versioning.ledgerhold]'),
      }),
    }),
  };
}
