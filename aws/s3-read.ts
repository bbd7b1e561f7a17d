import { types } from 'node:util';
import { type _Object, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { type ByteRange, NoSuchKey, type StoredObject, VaultUnavailable } from '../core/vault.ts';
import { checkRange } from '../vault/get-small.ts';
import { isKey } from '../vault/keys.ts';
import { atKey, type S3Bucket, under } from './s3-bucket.ts';
import { isCalled, onS3, unavailable } from './s3-errors.ts';

/** A stream that breaks is taken up again where it broke. So often without one byte more, and we give up. */
const FRUITLESS = 3;

export async function* read(bucket: S3Bucket, key: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
  if (range !== undefined) checkRange(range);
  const start = range?.start ?? 0;
  let from = start;
  let etag: string | undefined;
  let cause: unknown;
  for (let fruitless = 0; fruitless < FRUITLESS; fruitless += 1) {
    const opened = await open(bucket, key, from, range?.end, etag);
    if (opened === undefined) return;
    etag = opened.etag;
    const end = from + opened.length;
    try {
      for await (const chunk of opened.body) {
        from += chunk.length;
        fruitless = 0;
        yield chunk;
      }
      if (from === end) return;
    } catch (error) {
      cause = error;
      if (from > start && !isOfTheLine(error)) break;
    }
  }
  throw unread(bucket, key, cause);
}

/**
 * A broken line has a code, a silent one a name. A plain error is the SDK's word for bytes that do not match their
 * checksum: what was already given on may be wrong, so no rest can mend it.
 */
const isOfTheLine = (error: unknown): boolean =>
  types.isNativeError(error) && ('code' in error || error.name !== 'Error');

/** The bytes from `from` on, to `to` (included) if given; undefined if the object ends before. */
async function open(bucket: S3Bucket, key: string, from: number, to: number | undefined, etag: string | undefined) {
  const whole = from === 0 && to === undefined;
  const request = {
    ...atKey(bucket, key),
    ...(whole ? {} : { Range: `bytes=${from}-${to ?? ''}` }),
    ...(etag === undefined ? {} : { IfMatch: etag }),
  };
  try {
    const { Body, ContentLength = 0, ETag } = await bucket.client.send(new GetObjectCommand(request));
    // In Node the SDK's body is a stream of buffers; its type also covers browsers.
    return { body: Body as unknown as AsyncIterable<Uint8Array>, length: ContentLength, etag: ETag };
  } catch (error) {
    if (isCalled(error, 'NoSuchKey')) throw new NoSuchKey(key, { cause: error });
    if (isCalled(error, 'InvalidRange')) return undefined;
    throw unavailable(bucket, error);
  }
}

/** By a listing of one, since only that tells a missing object from a missing bucket. */
export async function stat(bucket: S3Bucket, key: string): Promise<StoredObject | undefined> {
  const { Bucket, Key, ...owner } = atKey(bucket, key);
  const answer = bucket.client.send(new ListObjectsV2Command({ Bucket, ...owner, Prefix: Key, MaxKeys: 1 }));
  const { Contents: [first] = [] } = await onS3(bucket, answer);
  return first?.Key === Key ? stored(bucket, first) : undefined;
}

export async function* list(bucket: S3Bucket, prefix: string, startAfter = ''): AsyncGenerator<StoredObject> {
  const request = {
    ...bucket.at,
    Prefix: under(bucket, prefix),
    ...(startAfter === '' ? {} : { StartAfter: bucket.prefix + startAfter }),
  };
  let next: string | undefined;
  do {
    const page = { ...request, ...(next === undefined ? {} : { ContinuationToken: next }) };
    const { Contents = [], NextContinuationToken } = await onS3(
      bucket,
      bucket.client.send(new ListObjectsV2Command(page)),
    );
    // Names that no writer of ours can have made, such as a console's `folder/`, are no objects.
    yield* Contents.map((object) => stored(bucket, object)).filter(({ key }) => isKey(key));
    next = NextContinuationToken;
  } while (next !== undefined);
}

/** An answer without a size or date gives values that equal nothing. */
function stored(bucket: S3Bucket, { Key = '', Size = Number.NaN, LastModified = new Date(Number.NaN) }: _Object) {
  return { key: Key.slice(bucket.prefix.length), size: Size, modifiedAt: LastModified };
}

const unread = (bucket: S3Bucket, key: string, cause: unknown): VaultUnavailable =>
  new VaultUnavailable(
    `${bucket.url}${key} did not arrive whole: ${types.isNativeError(cause) ? cause.message : 'its stream ended early'}`,
    'Check the network and the memory of this machine; then run again.',
    { cause },
  );
