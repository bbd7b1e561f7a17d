import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput as Uploads,
} from '@aws-sdk/client-s3';
import type { Vault, VaultJanitor } from '../core/vault.ts';
import { getSmall } from '../vault/get-small.ts';
import { checkKey } from '../vault/keys.ts';
import { atKey, type S3Bucket, type S3VaultOptions, s3Bucket, under } from './s3-bucket.ts';
import { onS3, unlessS3 } from './s3-errors.ts';
import { list, read, stat } from './s3-read.ts';
import { put, store } from './s3-write.ts';

export type { ObjectLock, S3VaultOptions } from './s3-bucket.ts';

/** A vault in a bucket, or in a part of one, on S3 or a server that has S3's conditional writes. */
export function s3Vault(options: S3VaultOptions): Vault {
  const bucket = s3Bucket(options);
  return {
    url: bucket.url,
    putOnce: async (key, body) => put(bucket, key, body),
    writeOnce: (key, body, signal) => store(bucket, key, body, signal),
    get: (key, limit) => getSmall((at) => read(bucket, at), key, limit),
    read: (key, range) => read(bucket, key, range),
    stat: (key) => stat(bucket, key),
    list: (prefix, startAfter) => list(bucket, prefix, startAfter),
  };
}

/** The right to delete there. In a bucket with versions what is removed is hidden; its lifecycle rule ends it. */
export function s3Janitor(options: S3VaultOptions): VaultJanitor {
  const bucket = s3Bucket(options);
  return {
    remove: (key) => remove(bucket, key),
    sweepUnfinished: (before) => sweep(bucket, before),
  };
}

async function remove(bucket: S3Bucket, key: string): Promise<boolean> {
  // By listing and not by HeadObject: that would take the right to read what is deleted.
  if (!(await isThere(bucket, key))) return false;
  await onS3(bucket, bucket.client.send(new DeleteObjectCommand(atKey(bucket, key))));
  return true;
}

async function isThere(bucket: S3Bucket, key: string): Promise<boolean> {
  checkKey(key);
  // In the order of keys the prefix itself comes first.
  for await (const first of list(bucket, key)) return first.key === key;
  return false;
}

async function sweep(bucket: S3Bucket, before: Date): Promise<number> {
  let swept = 0;
  for await (const { Key, UploadId, Initiated } of uploads(bucket)) {
    if (Initiated === undefined || Initiated >= before) continue;
    const abort = bucket.client.send(new AbortMultipartUploadCommand({ ...bucket.at, Key, UploadId }));
    await unlessS3(bucket, 'NoSuchUpload', abort);
    swept += 1;
  }
  return swept;
}

async function* uploads(bucket: S3Bucket) {
  let marker: Pick<Uploads, 'KeyMarker' | 'UploadIdMarker'> | undefined = {};
  while (marker !== undefined) {
    const request = { ...bucket.at, Prefix: under(bucket, ''), ...marker };
    const page: Uploads = await onS3(bucket, bucket.client.send(new ListMultipartUploadsCommand(request)));
    yield* page.Uploads ?? [];
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    marker = IsTruncated === true ? { KeyMarker, UploadIdMarker } : undefined;
  }
}
