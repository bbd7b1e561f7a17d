import * as z from 'zod';
import { type Member, MemberId } from './members.ts';
import { Instant, NetworkName, Seq, Sha256 } from './names.ts';

/** Every object of a share is read once in so many days: each has its day by its key's digest. */
export const READ_BACK_DAYS = 7;

/** `proofs/<id>/<seq>.json`: what one turn has read back at a member. Signed and chained like a receipt. */
export const ReadBack = z.strictObject({
  format: z.literal('ledgerhold/read-back/1'),
  ...{ network: NetworkName, member: MemberId, seq: Seq },
  /** SHA-256 of the bytes of proof `seq - 1`; null for the first. */
  previous: Sha256.nullable(),
  /** The member's version that registered the destination: proofs of another one do not count. */
  since: z.int().min(1),
  destination: z.string(),
  at: Instant,
  /** Whose objects were read: UTC days since 1970-01-01. */
  day: z.int().min(0),
  /** Number of the newest receipt when that day's reading began: what was delivered later has its turn in a week. */
  receipts: z.int().min(0),
  /** All of the day's objects were read. Else the next turn begins behind `after`. */
  whole: z.boolean(),
  /** Key of the last object that was read and is as the receipts say; empty: none yet. */
  after: z.string(),
  /** Of this turn, as the receipts say: what was read and is well. */
  objects: z.int().min(0),
  bytes: z.int().min(0),
  /** Of this turn: larger than a turn may read, so nothing is known of them. */
  unread: z.int().min(0),
  /** What the object behind `after` was found to be. It is read again first of all. */
  fault: z.strictObject({ name: z.string(), key: z.string() }).nullable(),
  /** By day modulo 7: the newest receipt up to which each of these objects was read once at least; 0: none. */
  upTo: z.array(z.int().min(0)).length(READ_BACK_DAYS),
  /** Since this registration: of the objects that the receipts call `there`, those that were read and are well by now. */
  proven: z.int().min(0),
  signer: Sha256,
});
export type ReadBack = z.infer<typeof ReadBack>;

/** Whether what was delivered to a member is proved again by reading it. */
export const grantsReads = ({ check }: Member): boolean => check?.reads === true;

const DAY_MS = 86_400_000;
export const dayOf = (now: Date): number => Math.floor(now.getTime() / DAY_MS);
/** Where an object's day stands in the week, 0 to 6. `digest`: SHA-256 of its key, in hex. */
export const placeOf = (digest: Sha256): number => Number.parseInt(digest.slice(0, 8), 16) % READ_BACK_DAYS;

/** What is read next. `receipts` undefined: the newest there are. */
export interface ReadingPlace {
  readonly day: number;
  readonly after: string;
  readonly receipts: number | undefined;
}

/**
 * Behind the newest proof of this destination; undefined: nothing is due before tomorrow. What is more than a week late is
 * not made up for: its objects have come round again.
 */
export function placeAfter(newest: ReadBack | undefined, now: Date): ReadingPlace | undefined {
  const today = dayOf(now);
  if (newest === undefined) return { day: today, after: '', receipts: undefined };
  if (!newest.whole) return { day: newest.day, after: newest.after, receipts: newest.receipts };
  const day = Math.max(newest.day + 1, today - READ_BACK_DAYS + 1);
  return day > today ? undefined : { day, after: '', receipts: undefined };
}

/** Reading goes by hours, like delivery: what one turn had no room for, or found, is no reason to come again at once. */
const PAUSE_MS = 50 * 60_000;

export const isReadBackDue = (newest: ReadBack | undefined, now: Date): boolean =>
  placeAfter(newest, now) !== undefined && (newest === undefined || now.getTime() - Date.parse(newest.at) >= PAUSE_MS);
