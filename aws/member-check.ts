import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { faultsOfClaim } from '../core/bucket-names.ts';
import { type Deliverable, MemberRefused } from '../core/delivery.ts';
import type { MemberFault } from '../core/members.ts';
import { sha256 } from '../io/digest.ts';
import { at, atKey, base64Of, type MemberBucket, newObject } from './member-bucket.ts';
import { memberError, persist, saidBy } from './member-errors.ts';
import { allowsTooMuch } from './member-faults.ts';
import { sendOnce } from './member-stream.ts';
import { statusOf } from './s3-errors.ts';

/** Under the prefix, where the keys of what is tried are: our own role may try to delete nothing else. */
export const CANARIES = 'canary/';

/** Beside the prefix, so that a policy for all of the bucket, the network or the beginning of a member's name shows. */
export const outsideOf = (prefix: string): string => `${prefix.replace(/\/$/, '')}.outside/canary.txt`;

/** By trying; `now` is in the canary's key. Rejects with `MemberUnavailable` and with what is our own fault. */
export async function checkBucket(to: MemberBucket, now: Date): Promise<readonly MemberFault[]> {
  const claimed = faultsOfClaim(to);
  if (claimed.length > 0) return claimed;
  const canary = canaryOf(now);
  try {
    await sendOnce(to, { item: canary, signal: AbortSignal.any([]) }, () => bytesOf(canary)).catch((error: unknown) => {
      throw memberError(to, error);
    });
  } catch (error) {
    if (error instanceof MemberRefused) return [error.fault];
    throw error;
  }
  const object = atKey(to, canary.key);
  const again = { ...newObject(to, canary.key), Body: canary.bytes, ChecksumSHA256: base64Of(canary) };
  const faults = [
    await mustRefuse(to, 'OVERWRITABLE', () => to.client.send(new PutObjectCommand(again))),
    await mustRefuse(to, 'DELETABLE', () => to.client.send(new DeleteObjectCommand(object))),
    await mustRefuse(to, 'WIDE_OPEN', () => beginOutside(to)),
  ];
  return faults.filter((fault) => fault !== undefined);
}

/** To begin an upload takes the right to add, and leaves no object behind where there is one. */
async function beginOutside(to: MemberBucket): Promise<void> {
  const outside = { ...newObject(to, 'x'), Key: outsideOf(to.prefix) };
  const { UploadId } = await to.client.send(new CreateMultipartUploadCommand(outside));
  const upload = { ...at(to), Key: outside.Key, UploadId };
  await to.client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
}

/** Only a plain 403 is a refusal: an answer that says something else proves nothing. */
async function mustRefuse(
  to: MemberBucket,
  name: Parameters<typeof allowsTooMuch>[1],
  attempt: () => Promise<unknown>,
): Promise<MemberFault | undefined> {
  try {
    await persist(to, undefined, attempt);
    return allowsTooMuch(to, name, '');
  } catch (error) {
    const meant = memberError(to, error);
    if (!(meant instanceof MemberRefused)) throw meant;
    return statusOf(error) === 403 ? undefined : allowsTooMuch(to, name, saidBy(error));
  }
}

/** What is left behind at a time, and by its words what it is. */
export function canaryOf(now: Date): Deliverable & { readonly bytes: Uint8Array } {
  const bytes = Buffer.from(`Written once by Ledgerhold at ${now.toISOString()}, to see that it can be and stays.\n`);
  return {
    key: `${CANARIES}${now.toISOString()}.txt`,
    size: bytes.length,
    sha256: sha256(bytes),
    kind: 'document',
    bytes,
  };
}

async function* bytesOf({ bytes }: { readonly bytes: Uint8Array }): AsyncGenerator<Uint8Array> {
  yield bytes;
}
