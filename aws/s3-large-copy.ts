import { createHash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { type Part, partsOf } from '../core/part-sizes.ts';
import { KeyTaken, NoSuchKey } from '../core/vault.ts';
import type { LargeCopy } from '../vault/copy-object.ts';
import { allOrNone } from './all-or-none.ts';
import { atKey, copyFrom, type S3Bucket, type S3VaultOptions, s3Bucket } from './s3-bucket.ts';
import { commit, insist } from './s3-commit.ts';
import { isCalled, onS3, unlessS3 } from './s3-errors.ts';
import { abandon, base64, begin, type Upload } from './s3-multipart.ts';
import { read } from './s3-read.ts';

const PARALLEL = 8;

/** An object as it was when it was looked at: what is read and what is copied is this or nothing. */
interface Source {
  readonly bucket: S3Bucket;
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

/** What was read of it. */
interface Digests {
  readonly sha256: string;
  /** Base64, as S3 has it. */
  readonly crc32: string;
}

/**
 * Copies from bucket to bucket within S3, in parts: unlike CopyObject, whose condition is young, a multipart upload is
 * write-once in every Region, and it takes neither tags nor metadata along. The bytes are read once, here, and hashed;
 * that the copy is those bytes S3 itself checks, by their CRC-32, before it gives the copy its key. `to` must have a
 * client of its bucket's Region; it needs the right to read `from`.
 */
export function s3LargeCopy(from: S3VaultOptions, to: S3VaultOptions, partBytes?: number): LargeCopy {
  const [bucket, target] = [s3Bucket(from), s3Bucket(to)];
  return {
    atLeast: target.partSize(0),
    copy: async (key, sha256, signal) => {
      const source = await look(bucket, key);
      return (await copy(source, target, { sha256, partBytes, aborted: signal })) ? source.size : undefined;
    },
  };
}

async function look(bucket: S3Bucket, key: string): Promise<Source> {
  const head = bucket.client.send(new HeadObjectCommand(atKey(bucket, key)));
  const found = await unlessS3(bucket, 'NotFound', head);
  if (found === undefined) throw new NoSuchKey(key);
  return { bucket, key, size: found.ContentLength ?? Number.NaN, etag: found.ETag ?? '' };
}

async function digestsOf({ bucket, key }: Source, signal: AbortSignal): Promise<Digests> {
  const hash = createHash('sha256');
  let crc = 0;
  for await (const chunk of read(bucket, key)) {
    signal.throwIfAborted();
    hash.update(chunk);
    crc = crc32(chunk, crc);
  }
  return { sha256: hash.digest('hex'), crc32: base64(crc) };
}

interface Terms {
  readonly sha256: string | undefined;
  readonly partBytes: number | undefined;
  readonly aborted: AbortSignal;
}

/** Reads and copies at once. Resolves to false, and takes back what it has sent, if the digest is another. */
async function copy(source: Source, target: S3Bucket, { sha256, partBytes, aborted }: Terms): Promise<boolean> {
  const mark = randomUUID();
  const failed = new AbortController();
  const signal = AbortSignal.any([aborted, failed.signal]);
  const upload = await begin(target, source.key, mark, signal);
  let ours = false;
  try {
    const limit = pLimit(PARALLEL);
    const copying = partsOf(source.size, partBytes).map((part) =>
      limit(() => copyPart(source, target, upload, part, signal)),
    );
    const [digests, ...parts] = await allOrNone([digestsOf(source, signal), ...copying], failed);
    if (sha256 !== undefined && digests.sha256 !== sha256) return false;
    const request = completion(upload, source.size, digests.crc32, parts);
    ours = await commit(target, source.key, mark, () =>
      target.client.send(new CompleteMultipartUploadCommand(request)),
    );
    if (!ours) throw new KeyTaken(source.key);
    return true;
  } finally {
    if (!ours) await abandon(target, upload);
  }
}

async function copyPart(source: Source, target: S3Bucket, upload: Upload, part: Part, signal: AbortSignal) {
  signal.throwIfAborted();
  const { bucket, key, etag, size } = source;
  // A single part is the whole object, and names no range.
  const whole = part.start === 0 && part.end === size - 1;
  const request = {
    ...{ ...upload, PartNumber: part.number, ...copyFrom(bucket, key, etag) },
    ...(whole ? {} : { CopySourceRange: `bytes=${part.start}-${part.end}` }),
  };
  const send = () => target.client.send(new UploadPartCopyCommand(request), { abortSignal: signal });
  const answer = insist(send).catch((error) => {
    throw isCalled(error, 'NoSuchKey') ? new NoSuchKey(key, { cause: error }) : error;
  });
  const { CopyPartResult: { ETag, ChecksumCRC32 } = {} } = await onS3(target, answer, signal);
  return { PartNumber: part.number, ETag, ChecksumCRC32 };
}

const completion = (upload: Upload, size: number, crc: string, Parts: CompletedPart[]) => ({
  ...{ ...upload, IfNoneMatch: '*', MultipartUpload: { Parts }, MpuObjectSize: size },
  ...{ ChecksumType: 'FULL_OBJECT' as const, ChecksumCRC32: crc },
});
