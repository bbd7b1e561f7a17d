import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { KeyTaken } from '../core/vault.ts';
import { atKey, type S3Bucket } from './s3-bucket.ts';
import { commit, insist, newObject } from './s3-commit.ts';
import { onS3 } from './s3-errors.ts';
import { stat } from './s3-read.ts';

/** Two parts on their way keep the line busy while the next one fills: three parts of memory. */
const PARALLEL = 2;

/** A large object on its way. Nothing is sent before `add`, and nothing is visible before `complete`. */
export interface MultipartUpload {
  /** Aborts with the caller's signal, and with the error of a part that could not be sent. */
  readonly signal: AbortSignal;
  /** Memory for part `index`: that of a part which has arrived, if it fits. */
  bufferFor(index: number): Buffer;
  /** Takes the next part, and resolves when it is on its way. The first throws `KeyTaken` if it is already known. */
  add(part: Buffer): Promise<void>;
  /** Gives the object its key. Resolves to false if the key is taken. */
  complete(): Promise<boolean>;
  /** To be called in the end in every case. Takes back what was sent, unless it was completed. */
  close(): Promise<void>;
}

/** Parameters of every call about one upload. */
export type Upload = ReturnType<typeof atKey> & { readonly UploadId: string | undefined };

/** What S3 has to hold in the end. CRC-32 is what it can compute over all parts, and Node computes fast. */
interface Sent {
  parts: CompletedPart[];
  size: number;
  crc: number;
}

export function multipartUpload(bucket: S3Bucket, key: string, aborted: AbortSignal): MultipartUpload {
  const mark = randomUUID();
  const failed = new AbortController();
  const signal = AbortSignal.any([aborted, failed.signal]);
  const onTheirWay = new Set<Promise<void>>();
  const sent: Sent = { parts: [], size: 0, crc: 0 };
  const arrived: Buffer[] = [];
  let upload: Upload | undefined;

  const bufferFor = (index: number): Buffer => {
    const size = bucket.partSize(index);
    const buffer = arrived.pop();
    return buffer?.length === size ? buffer : Buffer.allocUnsafeSlow(size);
  };
  const add = async (body: Buffer): Promise<void> => {
    upload ??= await begin(bucket, key, mark, signal);
    while (onTheirWay.size === PARALLEL) await Promise.race(onTheirWay);
    signal.throwIfAborted();
    const task: Promise<void> = sendPart(bucket, upload, count(sent, body), body, signal)
      .then(
        () => void arrived.push(body),
        (error) => failed.abort(error),
      )
      .finally(() => onTheirWay.delete(task));
    onTheirWay.add(task);
  };
  const complete = async (): Promise<boolean> => {
    await Promise.all(onTheirWay);
    signal.throwIfAborted();
    if (upload === undefined) throw new RangeError('an upload without parts cannot be completed');
    const request = completion(upload, sent);
    const ours = await commit(bucket, key, mark, () => bucket.client.send(new CompleteMultipartUploadCommand(request)));
    if (ours) upload = undefined;
    return ours;
  };
  const close = async (): Promise<void> => {
    failed.abort();
    await Promise.all(onTheirWay);
    if (upload !== undefined) await abandon(bucket, upload);
  };
  return { signal, bufferFor, add, complete, close };
}

/** Throws `KeyTaken` if it is already known. */
export async function begin(bucket: S3Bucket, key: string, mark: string, signal: AbortSignal): Promise<Upload> {
  if ((await stat(bucket, key)) !== undefined) throw new KeyTaken(key);
  const request = { ...newObject(bucket, key, mark), ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
  const answer = bucket.client.send(new CreateMultipartUploadCommand(request), { abortSignal: signal });
  const { UploadId } = await onS3(bucket, answer, signal);
  return { ...atKey(bucket, key), UploadId };
}

/** Notes a part, and returns its half-filled entry. */
function count(sent: Sent, body: Uint8Array): CompletedPart {
  const part = { PartNumber: sent.parts.length + 1, ChecksumCRC32: base64(crc32(body)) };
  sent.parts.push(part);
  sent.size += body.length;
  sent.crc = crc32(body, sent.crc);
  return part;
}

async function sendPart(bucket: S3Bucket, upload: Upload, part: CompletedPart, Body: Uint8Array, signal: AbortSignal) {
  const { PartNumber, ChecksumCRC32 } = part;
  const request = { ...upload, PartNumber, ChecksumCRC32, Body };
  const answer = insist(() => bucket.client.send(new UploadPartCommand(request), { abortSignal: signal }));
  part.ETag = (await onS3(bucket, answer, signal)).ETag;
}

const completion = (upload: Upload, { parts, size, crc }: Sent) => ({
  ...upload,
  IfNoneMatch: '*',
  MultipartUpload: { Parts: parts },
  MpuObjectSize: size,
  ChecksumType: 'FULL_OBJECT' as const,
  ChecksumCRC32: base64(crc),
});

/** What cannot be taken back now, a sweep will: why the upload ended is what the caller has to hear. */
export async function abandon(bucket: S3Bucket, upload: Upload): Promise<void> {
  await bucket.client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
}

export function base64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}
