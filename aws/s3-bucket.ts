import type { ObjectLockMode, S3Client } from '@aws-sdk/client-s3';
import { checkKey, checkPrefix } from '../vault/keys.ts';

/** How long an object is locked against deletion and change. */
export interface ObjectLock {
  readonly mode: ObjectLockMode;
  readonly retainUntil: Date;
}

export interface S3VaultOptions {
  /** See `s3Client`: with time limits and the SDK's own retries. */
  readonly client: S3Client;
  readonly bucket: string;
  /** Where in the bucket the vault is; empty for all of it. A `/` is added if it does not end in one. */
  readonly prefix?: string;
  /** The 12 digits of the account that must own the bucket; sent with every call. */
  readonly account?: string;
  /** The lock of each object by its key (its class is in its key); undefined for none. */
  readonly lockFor?: (key: string) => ObjectLock | undefined;
  /** Full ARN of the key to encrypt with. (By alias or id S3 would look in the writer's account.) */
  readonly kmsKey?: string;
  /** Size in bytes of part `index` (from 0) of a large object; S3 wants 5 MiB at least and 10,000 parts at most. */
  readonly partSize?: (index: number) => number;
}

/** A vault's bucket: what each call to it has in common. */
export interface S3Bucket extends S3VaultOptions {
  readonly prefix: string;
  readonly partSize: (index: number) => number;
  readonly url: string;
  /** Parameters of every call. */
  readonly at: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };
}

const MEBIBYTE = 1024 * 1024;

/** 16 MiB, doubled every 1,000 parts: 10,000 parts hold 16 TiB, and 64 GiB are held in parts of at most 64 MiB. */
const growingParts = (index: number): number => 16 * MEBIBYTE * 2 ** Math.floor(index / 1000);

export function s3Bucket(options: S3VaultOptions): S3Bucket {
  const { bucket, account, prefix = '', partSize = growingParts } = options;
  const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  return {
    ...options,
    prefix: folder,
    partSize,
    url: `s3://${bucket}/${folder}`,
    at: { Bucket: bucket, ...(account === undefined ? {} : { ExpectedBucketOwner: account }) },
  };
}

/** Parameters of a call about one object. Throws `InvalidKey`. */
export function atKey(bucket: S3Bucket, key: string) {
  checkKey(key);
  return { ...bucket.at, Key: bucket.prefix + key };
}

/** Parameters of a copy about its source: as it was when it had this ETag, or not at all. Throws `InvalidKey`. */
export function copyFrom(bucket: S3Bucket, key: string, etag: string) {
  const { Bucket, Key, ExpectedBucketOwner: owner } = atKey(bucket, key);
  return {
    CopySource: `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`,
    CopySourceIfMatch: etag,
    ...(owner === undefined ? {} : { ExpectedSourceBucketOwner: owner }),
  };
}

/** The prefix of a listing, in the bucket. Throws `InvalidKey`. */
export function under(bucket: S3Bucket, prefix: string): string {
  checkPrefix(prefix);
  return bucket.prefix + prefix;
}
