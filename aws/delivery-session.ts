import type { S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import { DeliveryRoleUnusable } from '../core/delivery.ts';
import { type Credentials, credentialsIn } from './assumed-role.ts';
import { CANARIES, outsideOf } from './member-check.ts';
import { memberClient } from './s3-client.ts';

/** What one delivery needs. Of the delivery role's rights it has these alone. */
export interface DeliverySession {
  readonly roleArn: string;
  readonly bucket: string;
  /** The account of the bucket. */
  readonly account: string;
  readonly region: string;
  /** Ends in `/`. */
  readonly prefix: string;
  /** Full ARN of the member's key. */
  readonly kmsKey?: string;
  /** The vault that bytes are copied from; of it only what members may see. */
  readonly source?: { readonly bucket: string; readonly prefix: string; readonly kmsKey?: string };
  /**
   * `check`: also what the member has to refuse. With less, our own rights would refuse it for the member. `read`: what
   * lies under the prefix, and canaries to see whether we may; nothing else is added.
   */
  readonly purpose: 'deliver' | 'check' | 'read';
}

/** What of a vault is for members. */
const SHARED = ['chain/*', 'keys/*', 'format.json'];

/** The policy that narrows the delivery role to one bucket and prefix. STS takes 2,048 characters. */
export function sessionPolicy({ roleArn, bucket, account, region, prefix, kmsKey, source, purpose }: DeliverySession) {
  const arn = (of: string, key: string) => `arn:${roleArn.split(':')[1]}:s3:::${of}/${key}`;
  const through = { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` } };
  const owned = { StringEquals: { 's3:ResourceAccount': account } };
  const allow = (Action: readonly string[], Resource: readonly string[], Condition?: object) => ({
    ...{ Effect: 'Allow', Action, Resource },
    ...(Condition === undefined ? {} : { Condition }),
  });
  const add = ['s3:PutObject', 's3:AbortMultipartUpload'];
  const trying = purpose === 'check';
  const reading = purpose === 'read';
  const share = arn(bucket, `${prefix}*`);
  const canaries = arn(bucket, `${prefix}${CANARIES}*`);
  return {
    Version: '2012-10-17',
    Statement: [
      allow(add, [reading ? canaries : share, ...(trying ? [arn(bucket, outsideOf(prefix))] : [])], owned),
      ...(reading ? [allow(['s3:GetObject'], [share], owned)] : []),
      ...(trying ? [allow(['s3:DeleteObject'], [canaries], owned)] : []),
      ...(kmsKey === undefined ? [] : [allow(['kms:GenerateDataKey', 'kms:Decrypt'], [kmsKey], through)]),
      ...(source === undefined
        ? []
        : [
            allow(
              ['s3:GetObject'],
              SHARED.map((key) => arn(source.bucket, source.prefix + key)),
            ),
          ]),
      ...(source?.kmsKey === undefined ? [] : [allow(['kms:Decrypt'], [source.kmsKey], KMS_THROUGH_S3)]),
    ],
  };
}

/** The vault may be in another Region than the member's bucket. */
const KMS_THROUGH_S3 = { StringLike: { 'kms:ViaService': 's3.*.amazonaws.com' } };

/**
 * Credentials for one delivery, for an hour each: the client asks again before they expire. Rejects with
 * `DeliveryRoleUnusable`.
 */
export const sessionCredentials =
  (sts: STSClient, session: DeliverySession): Credentials =>
  async () => {
    const { roleArn, prefix } = session;
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: sessionName(prefix),
      DurationSeconds: 3600,
      Policy: JSON.stringify(sessionPolicy(session)),
    });
    const answer = await sts.send(command).catch((error: unknown) => {
      throw unusable(roleArn, error instanceof Error ? `${error.message} (${error.name})` : String(error), error);
    });
    const credentials = credentialsIn(answer);
    if (credentials === undefined) throw unusable(roleArn, 'STS gave no whole credentials');
    return credentials;
  };

/** The client of one delivery. Makes no call. `region`: of another bucket than the member's, such as the source. */
export const deliveryClient = (sts: STSClient, session: DeliverySession, region = session.region): S3Client =>
  memberClient({ region, credentials: sessionCredentials(sts, session) });

/** In CloudTrail of both sides. At most 64 characters: the member's name is the last part of the prefix. */
const sessionName = (prefix: string): string => `ledgerhold-${prefix.split('/').at(-2) ?? 'delivery'}`.slice(0, 64);

const unusable = (roleArn: string, why: string, cause?: unknown): DeliveryRoleUnusable =>
  new DeliveryRoleUnusable(
    `the delivery role ${roleArn} is not to be had: ${why}`,
    'Deploy the network again, or make the role as docs/deliver.md says; and see that this process may assume it.',
    { cause },
  );
