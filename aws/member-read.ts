import { GetObjectCommand } from '@aws-sdk/client-s3';
import { MemberRefused, MemberUnavailable } from '../core/delivery.ts';
import { sha256 } from '../io/digest.ts';
import { atKey, type MemberBucket } from './member-bucket.ts';
import { canaryOf, leave } from './member-check.ts';
import { memberError, persist, saidBy } from './member-errors.ts';
import { isCalled, statusOf } from './s3-errors.ts';

/**
 * The bytes under a key. Undefined for 404, and for 403: with no right to list, S3 says that of what is absent, too. A
 * stream that breaks is not taken up again: whoever hashes it begins anew.
 */
export async function readBack(
  to: MemberBucket,
  key: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    const get = () => to.client.send(new GetObjectCommand(atKey(to, key)), { abortSignal: signal });
    const { Body } = await persist(to, signal, get);
    // In Node the SDK's body is a stream of buffers; its type also covers browsers.
    return unbroken(to, Body as unknown as AsyncIterable<Uint8Array>, signal);
  } catch (error) {
    signal.throwIfAborted();
    const meant = memberError(to, error);
    const unseen = meant instanceof MemberRefused && [403, 404].includes(statusOf(error) ?? 0);
    if (unseen && !isCalled(error, 'NoSuchBucket')) return undefined;
    throw meant;
  }
}

/** Whether a canary that was just left, or is there, comes back as it was written. */
export async function readsCanary(to: MemberBucket, now: Date, signal: AbortSignal): Promise<boolean> {
  const canary = canaryOf(now);
  await leave(to, canary, signal);
  const chunks = await readBack(to, canary.key, signal);
  if (chunks === undefined) return false;
  return sha256(Buffer.concat(await Array.fromAsync(chunks))) === canary.sha256;
}

async function* unbroken(to: MemberBucket, body: AsyncIterable<Uint8Array>, signal: AbortSignal) {
  try {
    for await (const chunk of body) {
      signal.throwIfAborted();
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    const said = saidBy(error);
    throw new MemberUnavailable(`${to.url} broke off: ${said}`, 'Wait: it is read again by itself.', { cause: error });
  }
}
