import { setTimeout } from 'node:timers/promises';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { atKey, type S3Bucket } from './s3-bucket.ts';
import { attemptsOf, isCalled, statusOf, unavailable, unlessS3 } from './s3-errors.ts';

/** The user metadata that tells our write from anybody else's, with the same bytes or not. */
const MARK = 'ledgerhold-write';

/** Parameters of the request that begins an object, marked as this write's. */
export function newObject(bucket: S3Bucket, key: string, mark: string) {
  const { lockFor, kmsKey } = bucket;
  const lock = lockFor?.(key);
  const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey, BucketKeyEnabled: true } as const;
  return {
    ...atKey(bucket, key),
    Metadata: { [MARK]: mark },
    ...(kmsKey === undefined ? {} : encryption),
    ...(lock === undefined ? {} : { ObjectLockMode: lock.mode, ObjectLockRetainUntilDate: lock.retainUntil }),
  };
}

/** What is worth saying again and the SDK does not: a race for the key, and bytes that the line has damaged. */
const AGAIN: readonly string[] = ['ConditionalRequestConflict', 'OperationAborted', 'BadDigest'];
/** 5 rounds with 0.1, 0.2, 0.4 and 0.8 s between them: a race is over long before. */
const ROUNDS = 5;

/** Makes a call, again while S3 answers one of `AGAIN`, at most `ROUNDS` times. Rejects with S3's own last error. */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await call();
    } catch (error) {
      if (round === ROUNDS || !isCalled(error, ...AGAIN)) throw error;
    }
    await setTimeout(50 * 2 ** round);
  }
}

/**
 * Makes the call that gives an object marked `mark` its key. Resolves to false if somebody else has the key. An answer
 * may be lost after the write took effect; a retry is then told that the key is taken, by ourselves. So whatever is not
 * certain is settled by the mark of what lies there.
 */
export async function commit(bucket: S3Bucket, key: string, mark: string, call: () => Promise<unknown>) {
  let sent = 0;
  try {
    await insist(() => {
      sent += 1;
      return call();
    });
    return true;
  } catch (error) {
    const taken = statusOf(error) === 412;
    const certain = taken && sent + attemptsOf(error) === 2;
    if (!certain && mayHaveWorked(error) && (await markOf(bucket, key)) === mark) return true;
    if (taken) return false;
    throw unavailable(bucket, error);
  }
}

/** A retry after our own success meets a taken key or an upload that is no more; a broken line tells nothing at all. */
function mayHaveWorked(error: unknown): boolean {
  const status = statusOf(error) ?? 500;
  return status >= 500 || status === 412 || status === 404;
}

async function markOf(bucket: S3Bucket, key: string): Promise<string | undefined> {
  const head = bucket.client.send(new HeadObjectCommand(atKey(bucket, key)));
  return (await unlessS3(bucket, 'NotFound', head))?.Metadata?.[MARK];
}
