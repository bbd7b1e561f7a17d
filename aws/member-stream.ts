import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  type CompletedPart,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Deliverable, notAsSealed, type Stored } from '../core/delivery.ts';
import { blocks } from '../vault/blocks.ts';
import { base64Of, type MemberBucket, newObject, type Putting, written } from './member-bucket.ts';
import { persist } from './member-errors.ts';
import { completeUpload, uploading } from './member-upload.ts';
import { statusOf } from './s3-errors.ts';
import { base64 } from './s3-multipart.ts';

export type Body = () => AsyncIterable<Uint8Array>;

const MEBIBYTE = 1024 * 1024;
/** S3 takes 5 GiB in one request. A line that breaks costs all that was sent, so that much is not risked at once. */
export const SENT_IN_ONE = 1024 * MEBIBYTE;
const PART = 16 * MEBIBYTE;
const MOST_PARTS = 10_000;

/** Sends a body to its key, once. `there` if the key is taken. Rejects with S3's errors, or what `body` says. */
export async function sendOnce(to: MemberBucket, putting: Putting, body: Body): Promise<Stored> {
  if (putting.item.size > to.partsFrom) return sendParts(to, putting, body);
  try {
    return await persist(to, putting.signal, (round) => sendWhole(to, putting, body, round));
  } catch (error) {
    if (statusOf(error) === 412) return { outcome: 'there' };
    throw error;
  }
}

/**
 * In one request, as it comes: no byte is held here. It is signed with the digest that was sealed, so S3 itself refuses
 * every other body; one that breaks off never has its length, and gives no object either. The same digest is its checksum,
 * without which a bucket that locks by default takes nothing. A body is hashed here for servers that may not look, and
 * from the second try on: that tells whether the line or the body is to blame.
 */
async function sendWhole(to: MemberBucket, { item, signal }: Putting, body: Body, round: number): Promise<Stored> {
  const broken = new AbortController();
  let given = false;
  async function* sealed(): AsyncGenerator<Uint8Array> {
    try {
      yield* asSealed(item, body(), round > 1 || to.otherServer === true);
      given = true;
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  }
  // What was sent whole will be there: only its answer says what has become of it.
  const stop = () => given || broken.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const stream = Readable.from(sealed());
  // Told by `broken`.
  stream.on('error', () => {});
  try {
    const object = { ...newObject(to, item.key), ChecksumSHA256: base64Of(item), IfNoneMatch: '*' };
    const command = signedFor(new PutObjectCommand({ ...object, Body: stream, ContentLength: item.size }), item);
    return written(to, await to.client.send(command, { abortSignal: broken.signal }), item);
  } catch (error) {
    throw broken.signal.aborted ? broken.signal.reason : error;
  } finally {
    signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/** S3 compares the body with the digest in the signature before it makes an object of it. */
function signedFor(command: PutObjectCommand, { sha256 }: Deliverable): PutObjectCommand {
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'sealedDigest' },
  );
  return command;
}

/** The bytes of an item while they can be what was sealed: no byte too many, and an end only if none is missing. */
async function* asSealed(
  item: Deliverable,
  body: AsyncIterable<Uint8Array>,
  hashed: boolean,
): AsyncGenerator<Uint8Array> {
  const hash = hashed ? createHash('sha256') : undefined;
  let size = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > item.size) throw notAsSealed(item);
    hash?.update(chunk);
    // The last chunk completes the object: it goes when all is known to be well.
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (size !== item.size || (hash !== undefined && hash.digest('hex') !== item.sha256)) throw notAsSealed(item);
  if (held !== undefined) yield held;
}

/**
 * One part in memory at a time; the whole is hashed, and made an object only then. Each part goes with its CRC-32, and the
 * whole with that of all: a SHA-256 over all parts S3 does not make.
 */
async function sendParts(to: MemberBucket, { item, signal }: Putting, body: Body): Promise<Stored> {
  const length = Math.max(PART, Math.ceil(item.size / MOST_PARTS));
  const buffer = Buffer.allocUnsafeSlow(Math.min(length, item.size));
  const begin = new CreateMultipartUploadCommand({ ...newObject(to, item.key), ChecksumAlgorithm: 'CRC32', ...WHOLE });
  return uploading(to, begin, signal, async (upload) => {
    const parts: CompletedPart[] = [];
    let crc = 0;
    for await (const Body of blocks(asSealed(item, body(), true), () => buffer, signal)) {
      const part = { PartNumber: parts.length + 1, ChecksumCRC32: base64(crc32(Body)) };
      crc = crc32(Body, crc);
      const send = () =>
        to.client.send(new UploadPartCommand({ ...upload.at, ...part, Body }), { abortSignal: signal });
      parts.push({ ...part, ETag: (await persist(to, signal, send)).ETag });
    }
    signal.throwIfAborted();
    return completeUpload(to, upload, parts, { ChecksumCRC32: base64(crc), ...WHOLE });
  });
}

const WHOLE = { ChecksumType: 'FULL_OBJECT' } as const;
