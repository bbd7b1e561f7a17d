import * as z from 'zod';
import type { PolicyDocument } from './bucket-policy.ts';
import { type MemberAccess, memberKeyPolicy, memberPolicy } from './member-policy.ts';
import { NetworkName } from './names.ts';

/** Unfinished uploads are paid for and shown in no listing. */
export const ABORT_UPLOADS_AFTER_DAYS = 7;

/** `<prefix>-<account>-<region>-an`: only that account can ever have a bucket of this name. */
const ACCOUNT_REGIONAL = /^([a-z0-9][a-z0-9-]*)-(\d{12})-([a-z]{2,4}(?:-[a-z]+)+-\d)-an$/;
const KEY_ARN = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):key\/[A-Za-z0-9-]+$/;

/** What a member's bucket is to be. The construct, and each template that the command line prints, are made of this. */
export const MemberBucketSpec = z.strictObject({
  network: NetworkName,
  member: NetworkName,
  /** The account of the network's operator. */
  operatorAccount: z.string().regex(/^\d{12}$/, { error: 'an account has 12 digits' }),
  /** Default: an account-regional name made of network and member. */
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: 'this is no name of a bucket' })
    .optional(),
  /** Encrypts by a new key of the member's, or by one that it has (a full ARN). Default: by the keys of S3. */
  key: z
    .union([z.literal('new'), z.string().regex(KEY_ARN, { error: 'write the full ARN of a key, arn:aws:kms:…:key/…' })])
    .optional(),
  /** For how long S3 lets nobody remove what was delivered. Default: no lock. */
  lock: z
    .strictObject({
      mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
      days: z.int({ error: 'write whole days' }).min(1).max(36_500),
    })
    .optional(),
  /** Lets us read back what was delivered. */
  reads: z.boolean().optional(),
});
export type MemberBucketSpec = z.infer<typeof MemberBucketSpec>;

/** Where a template is deployed: digits and a Region, or what stands for them there. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** What a bucket's name says of where it is; undefined for a name that says nothing. */
export function placeInName(bucket: string): (Place & { readonly prefix: string }) | undefined {
  const [, prefix, account, region] = ACCOUNT_REGIONAL.exec(bucket) ?? [];
  return prefix === undefined || account === undefined || region === undefined
    ? undefined
    : { prefix, account, region };
}

/** What a key's ARN says of where it is. */
export function placeOfKey(arn: string): Place | undefined {
  const [, region, account] = KEY_ARN.exec(arn) ?? [];
  return account === undefined || region === undefined ? undefined : { account, region };
}

/**
 * The part of an account-regional name that is ours to choose; undefined where the bucket has a name of another kind.
 * A name has 63 characters, of which account and the longest Region take 31. Within its account it need not be unique but
 * for the member itself, so that what is too long is cut.
 */
export function accountRegionalPrefix({ bucket, network, member }: MemberBucketSpec): string | undefined {
  if (bucket !== undefined) return placeInName(bucket)?.prefix;
  return `ledgerhold-${network}-${member}`.slice(0, 63 - 31).replace(/-+$/, '');
}

export const bucketName = (spec: MemberBucketSpec, { account, region }: Place): string =>
  spec.bucket ?? `${accountRegionalPrefix(spec)}-${account}-${region}-an`;

/** As the policies want it; `newKey` stands for the ARN of a key that the template makes. */
export const accessOf = (spec: MemberBucketSpec, place: Place, newKey: string): MemberAccess => ({
  ...{ network: spec.network, member: spec.member, operatorAccount: spec.operatorAccount },
  ...{ bucket: bucketName(spec, place), keyArn: spec.key === 'new' ? newKey : spec.key, reads: spec.reads },
});

export const describeKey = ({ network, member }: MemberBucketSpec): string =>
  `What Ledgerhold delivers of ${network} to ${member}`;

/** What stands in CloudFormation for what is known only there. */
const HERE: Place = { account: '${AWS::AccountId}', region: '${AWS::Region}' };
const NEW_KEY = '${Key.Arn}';
const KEPT = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };

/** The CloudFormation template, as JSON. Deleting its stack takes our rights away, and keeps bucket and key. */
export function memberCloudFormation(spec: MemberBucketSpec): Readonly<Record<string, unknown>> {
  const access = accessOf(spec, HERE, NEW_KEY);
  const outputs = {
    BucketName: { Value: { Ref: 'Bucket' } },
    ...(access.keyArn && { KeyArn: { Value: access.keyArn } }),
  };
  return substituted({
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `Ledgerhold: the bucket of ${spec.member} for the files of ${spec.network}`,
    Resources: {
      Bucket: { Type: 'AWS::S3::Bucket', ...KEPT, Properties: bucketProperties(spec, access.keyArn) },
      Policy: policyResource(memberPolicy(access)),
      ...(spec.key === 'new' && { Key: keyResource(spec, memberKeyPolicy(access, HERE)) }),
    },
    Outputs: outputs,
  }) as Readonly<Record<string, unknown>>;
}

const policyResource = (PolicyDocument: PolicyDocument) => ({
  Type: 'AWS::S3::BucketPolicy',
  Properties: { Bucket: { Ref: 'Bucket' }, PolicyDocument },
});

const keyResource = (spec: MemberBucketSpec, KeyPolicy: PolicyDocument) => ({
  ...{ Type: 'AWS::KMS::Key', ...KEPT },
  Properties: { Description: describeKey(spec), EnableKeyRotation: true, KeyPolicy },
});

function bucketProperties(spec: MemberBucketSpec, keyArn: string | undefined) {
  const regional = accountRegionalPrefix(spec);
  const kms = {
    ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
    BucketKeyEnabled: true,
  };
  const s3 = { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } };
  const abort = {
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UPLOADS_AFTER_DAYS },
    Status: 'Enabled',
  };
  const closed = {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  };
  return {
    ...(regional === undefined
      ? { BucketName: spec.bucket }
      : { BucketNamePrefix: regional, BucketNamespace: 'account-regional' }),
    PublicAccessBlockConfiguration: closed,
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    VersioningConfiguration: { Status: 'Enabled' },
    BucketEncryption: { ServerSideEncryptionConfiguration: [keyArn === undefined ? s3 : kms] },
    LifecycleConfiguration: { Rules: [abort] },
    ...(spec.lock && {
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: spec.lock.mode, Days: spec.lock.days } },
      },
    }),
  };
}

/** Has CloudFormation fill in each text that has something to fill in. */
function substituted(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('${') ? { 'Fn::Sub': value } : value;
  if (Array.isArray(value)) return value.map(substituted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, substituted(each)]));
}
