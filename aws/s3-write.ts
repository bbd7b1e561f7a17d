import { createHash, randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Sha256 } from '../core/names.ts';
import { KeyTaken, type WrittenObject } from '../core/vault.ts';
import { blocks } from '../vault/blocks.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { commit, newObject } from './s3-commit.ts';
import { type MultipartUpload, multipartUpload } from './s3-multipart.ts';

/** Write once, in one request. Resolves to false if the key is taken. `digest` is the SHA-256 of `body`. */
export function put(bucket: S3Bucket, key: string, body: Uint8Array, digest = sha256(body)): Promise<boolean> {
  const mark = randomUUID();
  const request = {
    ...newObject(bucket, key, mark),
    Body: body,
    IfNoneMatch: '*',
    // The digest that manifests cite is the one that S3 checks and attests.
    ChecksumSHA256: digest.toString('base64'),
  };
  return commit(bucket, key, mark, () => bucket.client.send(new PutObjectCommand(request)));
}

/** Write once, in bounded memory: in one request, or in parts if the body is longer than one. */
export async function store(
  bucket: S3Bucket,
  key: string,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal = AbortSignal.any([]),
): Promise<WrittenObject> {
  const upload = multipartUpload(bucket, key, signal);
  try {
    return await send(bucket, key, body, upload);
  } finally {
    await upload.close();
  }
}

async function send(bucket: S3Bucket, key: string, body: AsyncIterable<Uint8Array>, upload: MultipartUpload) {
  const hash = createHash('sha256');
  let size = 0;
  let small: Uint8Array | undefined = new Uint8Array();
  for await (const block of blocks(body, upload.bufferFor, upload.signal)) {
    hash.update(block);
    size += block.length;
    small = size < bucket.partSize(0) ? block : undefined;
    if (small === undefined) await upload.add(block);
  }
  upload.signal.throwIfAborted();
  const digest = hash.digest();
  const ours = await (small === undefined ? upload.complete() : put(bucket, key, small, digest));
  if (!ours) throw new KeyTaken(key);
  return { key, size, sha256: digest.toString('hex') as Sha256 };
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
