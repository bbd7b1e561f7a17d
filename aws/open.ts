import { KMSClient } from '@aws-sdk/client-kms';
import type { LockPolicy } from '../core/object-lock.ts';
import type { Encryption, Signer } from '../core/ports.ts';
import type { Vault, VaultJanitor } from '../core/vault.ts';
import { kmsEnvelope } from './kms-envelope.ts';
import { kmsSigner } from './kms-signer.ts';
import { lockBy } from './object-lock.ts';
import type { S3VaultOptions } from './s3-bucket.ts';
import { s3Client } from './s3-client.ts';
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
