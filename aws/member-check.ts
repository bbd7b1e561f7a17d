import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { faultsOfClaim } from '../core/bucket-names.ts';
import { type Deliverable, MemberRefused, MemberUnavailable, type Stored } from '../core/delivery.ts';
import type { MemberFault } from '../core/members.ts';
import { sha256 } from '../io/digest.ts';
import { at, atKey, base64Of, type MemberBucket, newObject } from './member-bucket.ts';
import { memberError, persist, saidBy } from './member-errors.ts';
import { allowsTooMuch, emptied, notReached } from './member-faults.ts';
import { sendOnce } from './member-stream.ts';
import { statusOf } from './s3-errors.ts';

/** Under the prefix, where the keys of what is tried are: our own role may try to delete nothing else. */
export const CANARIES = 'canary/';

/** Beside the prefix, so that a policy for all of the bucket, the network or the beginning of a member's name shows. */
export const outsideOf = (prefix: string): string => `${prefix.replace(/\/$/, '')}.outside/canary.txt`;

/** Left by the first check that finds nothing: what is delivered comes after them, and is gone with them. */
const FIRST = ['first-1', 'first-2', 'first-3'].map((name) =>
  canary(`${name}.txt`, 'Left by the first check of Ledgerhold, and expected by every later one.\n'),
);

interface Checking {
  /** In the canary's key. */
  readonly now: Date;
  /** A check of this registration has found nothing before. */
  readonly wasSound: boolean;
  readonly signal: AbortSignal | undefined;
}

/** By trying. Rejects with `MemberUnavailable`, with what is our own fault, and with the reason of `signal`. */
export async function checkBucket(to: MemberBucket, checking: Checking): Promise<readonly MemberFault[]> {
  const { wasSound } = checking;
  const claimed = faultsOfClaim(to);
  if (claimed.length > 0) return claimed;
  try {
    const faults = await tooMuch(to, checking);
    if (!wasSound && faults.length > 0) return faults;
    return (await takesFirst(to, checking)) ? [emptied(to), ...faults] : faults;
  } catch (error) {
    if (error instanceof MemberRefused) return [error.fault];
    // One that was there before is away; of a new one nobody knows that its Region is one, and waiting never mends that.
    if (!wasSound && error instanceof MemberUnavailable && hasNoAddress(error.cause)) {
      return [notReached(to, saidBy(error.cause))];
    }
    throw error;
  }
}

/** The name servers have answered, and know no such host. */
const hasNoAddress = (error: unknown): boolean => (error as { readonly code?: string }).code === 'ENOTFOUND';

/** What it lets us do to a canary of ours, and beside it. Rejects with `MemberRefused` if it does not take one. */
async function tooMuch(to: MemberBucket, { now, signal }: Checking): Promise<readonly MemberFault[]> {
  const left = canaryOf(now);
  await leave(to, left, signal);
  const object = atKey(to, left.key);
  const again = { ...newObject(to, left.key), Body: left.bytes, ChecksumSHA256: base64Of(left) };
  const mustNot = (name: TooMuch, attempt: () => Promise<unknown>) => mustRefuse(to, name, attempt, signal);
  const faults = [
    await mustNot('OVERWRITABLE', () => to.client.send(new PutObjectCommand(again))),
    await mustNot('DELETABLE', () => to.client.send(new DeleteObjectCommand(object))),
    await mustNot('WIDE_OPEN', () => beginOutside(to)),
  ];
  return faults.filter((fault) => fault !== undefined);
}

/**
 * Leaves the first canaries; true if they were there, and one is not any more. That one is there again then, so it is the
 * last that is tried: where its answer is lost, or what this check has found, the next one misses another.
 */
async function takesFirst(to: MemberBucket, { wasSound, signal }: Checking): Promise<boolean> {
  for (const each of FIRST) {
    const { outcome } = await leave(to, each, signal);
    if (wasSound && outcome === 'written') return true;
  }
  return false;
}

/** Rejects like `put` of a destination. */
export function leave(to: MemberBucket, item: Canary, signal = AbortSignal.any([])): Promise<Stored> {
  const body = async function* () {
    yield item.bytes;
  };
  return sendOnce(to, { item, signal }, body).catch((error: unknown) => {
    throw memberError(to, error);
  });
}

/** To begin an upload takes the right to add, and leaves no object behind where there is one. */
async function beginOutside(to: MemberBucket): Promise<void> {
  const outside = { ...newObject(to, 'x'), Key: outsideOf(to.prefix) };
  const { UploadId } = await to.client.send(new CreateMultipartUploadCommand(outside));
  const upload = { ...at(to), Key: outside.Key, UploadId };
  await to.client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
}

type TooMuch = Parameters<typeof allowsTooMuch>[1];

/** Only a plain 403 is a refusal: an answer that says something else proves nothing. */
async function mustRefuse(
  to: MemberBucket,
  name: TooMuch,
  attempt: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<MemberFault | undefined> {
  try {
    await persist(to, signal, attempt);
    return allowsTooMuch(to, name, '');
  } catch (error) {
    const meant = memberError(to, error);
    if (!(meant instanceof MemberRefused)) throw meant;
    return statusOf(error) === 403 ? undefined : allowsTooMuch(to, name, saidBy(error));
  }
}

export type Canary = Deliverable & { readonly bytes: Uint8Array };

/** What is left behind at a time, and by its words what it is. */
export const canaryOf = (now: Date): Canary =>
  canary(
    `${now.toISOString()}.txt`,
    `Written once by Ledgerhold at ${now.toISOString()}, to see that it can be and stays.\n`,
  );

function canary(name: string, words: string): Canary {
  const bytes = Buffer.from(words);
  return { key: CANARIES + name, size: bytes.length, sha256: sha256(bytes), kind: 'document', bytes };
}
