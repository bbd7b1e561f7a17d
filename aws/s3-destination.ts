import { setTimeout } from 'node:timers/promises';
import type { Deliverable, Destination, Stored } from '../core/delivery.ts';
import type { Clock } from '../core/ports.ts';
import { checkClaim, type MemberBucket, type Pace, type S3DestinationOptions } from './member-bucket.ts';
import { checkBucket } from './member-check.ts';
import { copyOnce } from './member-copy.ts';
import { memberError } from './member-errors.ts';
import { readBack, readsCanary } from './member-read.ts';
import { type Body, SENT_IN_ONE, sendOnce } from './member-stream.ts';
import { type S3Bucket, s3Bucket } from './s3-bucket.ts';

export type { Pace, S3DestinationOptions } from './member-bucket.ts';

const PACE: Pace = {
  wait: (milliseconds, signal) =>
    // Who waits looks at the signal next, and hears its reason.
    setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
  random: Math.random,
};

/**
 * A member's bucket, to which we may add and nothing else: nothing is listed or deleted there, and nothing read but where
 * the member grants it. So of a key that is taken delivery knows no more than that (`there`). One case is certain without a look: an upload in parts whose last answer
 * was lost, and that is gone since (`written`). Every key is written on the condition that it is free, by every call.
 */
export function s3Destination(options: S3DestinationOptions, clock: Clock): Destination {
  const { source, prober = options.client, reader = options.client, wasSound = false, ...rest } = options;
  const { bucket, prefix, pace = PACE, partsFrom = SENT_IN_ONE } = rest;
  const to: MemberBucket = { ...rest, pace, partsFrom, url: `s3://${bucket}/${prefix}` };
  const from = source === undefined ? undefined : s3Bucket(source);
  return {
    url: to.url,
    copies: from !== undefined,
    put: (item, body, signal) => put(to, from, { item, body, signal }),
    check: (signal) => checkBucket({ ...to, client: prober }, { now: clock.now(), wasSound, signal }),
    read: (key, signal) => readBack({ ...to, client: reader }, key, signal),
    mayRead: (signal) => readsCanary({ ...to, client: reader }, clock.now(), signal),
  };
}

interface Asked {
  readonly item: Deliverable;
  readonly body: Body;
  readonly signal: AbortSignal;
}

async function put(to: MemberBucket, from: S3Bucket | undefined, asked: Asked): Promise<Stored> {
  const { item, body, signal } = asked;
  signal.throwIfAborted();
  checkClaim(to);
  try {
    // Bytes that are here already go with their digest, of which a copy knows nothing.
    if (from === undefined || item.bytes !== undefined) return await sendOnce(to, asked, ownBody(item, body));
    return await copyOnce(to, from, asked);
  } catch (error) {
    if (error instanceof OfBody) throw error.cause;
    throw error === signal.reason ? error : memberError(to, error);
  }
}

/** What the body says is its own, whatever it looks like. */
class OfBody extends Error {
  override readonly name = 'OfBody';
}

const ownBody = ({ bytes }: Deliverable, body: Body): Body =>
  async function* () {
    try {
      if (bytes === undefined) yield* body();
      else yield bytes;
    } catch (cause) {
      throw new OfBody('the body has ended', { cause });
    }
  };
