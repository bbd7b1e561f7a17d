import { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Destination } from '../core/delivery.ts';
import type { BucketDestination } from '../core/destination.ts';
import { memberPrefix } from '../core/names.ts';
import type { LockPolicy } from '../core/object-lock.ts';
import type { Clock, Encryption, Signer } from '../core/ports.ts';
import type { Vault, VaultJanitor } from '../core/vault.ts';
import { stsClient } from './assumed-role.ts';
import { type DeliverySession, deliveryClient } from './delivery-session.ts';
import { kmsEnvelope } from './kms-envelope.ts';
import { kmsSigner } from './kms-signer.ts';
import { lockBy } from './object-lock.ts';
import type { S3VaultOptions } from './s3-bucket.ts';
import { memberClient, s3Client } from './s3-client.ts';
import { s3Destination } from './s3-destination.ts';
import { s3Janitor, s3Vault } from './s3-vault.ts';

/** A bucket as a config names it. Credentials and, if absent, the region come from where the SDK looks for them. */
export interface BucketAddress {
  readonly bucket: string;
  readonly prefix?: string | undefined;
  readonly region?: string | undefined;
  readonly account?: string | undefined;
  readonly endpoint?: string | undefined;
  /** How what is written is locked; absent: not at all. */
  readonly lock?: LockPolicy | undefined;
}

export const openS3Vault = (address: BucketAddress): Vault => s3Vault(bucketOptions(address));

export const openS3Janitor = (address: BucketAddress): VaultJanitor => s3Janitor(bucketOptions(address));

/** `key`: ARN or alias. Calls are made when something is signed, not here. */
export const openKmsSigner = (key: string): Signer => kmsSigner(new KMSClient(), key);

export const openKmsEnvelope = (key: string): Encryption => kmsEnvelope(new KMSClient(), key);

/** A member's bucket as the registry has it, and what is put there with which rights. */
export interface MemberAddress {
  readonly destination: BucketDestination;
  readonly network: string;
  readonly member: string;
  /** See the registry: what a check has left there is expected to be there. */
  readonly wasSound?: boolean | undefined;
  /** Who delivers on AWS, by a session of its own for each member; not for another server, which knows no roles. */
  readonly roleArn?: string;
  /** See `S3DestinationOptions`. */
  readonly copyWithin?: number;
  /** The vault, if it is a bucket. On the same servers its bytes never come here. `kmsKey`: its key's full ARN. */
  readonly source?: BucketAddress & { readonly kmsKey?: string };
}

/** With clients of its own; no call is made. */
export function openS3Destination({ destination, network, member, ...ours }: MemberAddress, clock: Clock): Destination {
  const { bucket, region, account, kmsKey, endpoint } = destination;
  // No server copies from another one.
  const source = ours.source?.endpoint === endpoint ? ours.source : undefined;
  const roleArn = endpoint === undefined ? ours.roleArn : undefined;
  const prefix = memberPrefix(network, member);
  const place = { bucket, region, account, prefix, ...(kmsKey === undefined ? {} : { kmsKey }) };
  const clientFor = (purpose: DeliverySession['purpose'], of = region): S3Client => {
    if (roleArn === undefined) return memberClient({ region: of, ...(endpoint === undefined ? {} : { endpoint }) });
    const copied = purpose === 'read' ? undefined : source;
    return deliveryClient(
      stsClient(ours.source?.region),
      { ...place, roleArn, purpose, ...(copied && { source: readable(copied) }) },
      of,
    );
  };
  const from = source && { ...bucketOptions(source), client: clientFor('deliver', source.region) };
  return s3Destination(
    {
      ...{ ...place, otherServer: endpoint !== undefined, client: clientFor('deliver') },
      ...{ prober: clientFor('check'), reader: clientFor('read'), wasSound: ours.wasSound === true },
      ...{ copyWithin: ours.copyWithin },
      ...(from && { source: from }),
    },
    clock,
  );
}

const readable = ({ bucket, prefix = '', kmsKey }: NonNullable<MemberAddress['source']>) => ({
  ...{ bucket, prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` },
  ...(kmsKey === undefined ? {} : { kmsKey }),
});

/** With a client of its own; no call is made. */
export function bucketOptions({ bucket, prefix, region, account, endpoint, lock }: BucketAddress): S3VaultOptions {
  const client = s3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  return {
    ...{ client, bucket },
    ...(prefix === undefined ? {} : { prefix }),
    ...(account === undefined ? {} : { account }),
    ...(lock === undefined ? {} : { lockFor: lockBy(lock, { now: () => new Date() }) }),
  };
}
