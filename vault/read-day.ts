import { createHash } from 'node:crypto';
import { type Delivered, type Destination, MemberRefused, missingAtMember, tampered } from '../core/delivery.ts';
import type { Member } from '../core/members.ts';
import { Instant } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import { placeOf, READ_BACK_DAYS, type ReadingPlace } from '../core/read-back.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { receiptsUpTo } from './deliveries.ts';
import { newestOf, RECEIPTS } from './member-documents.ts';
import type { Read, ReadBacks } from './read-backs.ts';

export interface ReadDayPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ReadBounds {
  /** Of one turn: what has no room is read in the next one, and an object that is larger in none. */
  readonly bytes: number;
  /** When no further objects are begun. */
  readonly until?: Date;
}

/** An object of the day, by what the receipts say of it. */
interface Due extends Pick<Delivered, 'key' | 'size' | 'sha256'> {
  /** Receipts that call it `there`, and that no earlier reading has seen. */
  unproven: number;
}

/** Small documents are most objects: their answers, and not their bytes, take the time. */
const READS_AT_ONCE = 8;

/** A day's objects, and where they are read. */
export interface DayAtMember {
  readonly member: Member;
  readonly destination: Destination;
  readonly place: ReadingPlace;
  readonly backs: ReadBacks;
}

export interface Reading {
  readonly read: Read;
  /** What ended it before its end. */
  readonly error?: unknown;
  readonly isWorthTelling: boolean;
}

/** Reads a day's objects in the order of their keys, as many as there is room for; each at most `largest` bytes. */
export async function readDay(
  ports: ReadDayPorts,
  of: DayAtMember,
  left: ReadBounds,
  largest: number,
): Promise<Reading> {
  const { receipts, due } = await dueOf(ports, of);
  const read = { objects: 0, bytes: 0, unread: 0, newlyProven: 0, after: of.place.after };
  const told = (whole: boolean, fault: Read['fault'] = null): Read => ({
    ...{ destination: of.destination.url, at: Instant.parse(ports.clock.now().toISOString()), day: of.place.day },
    ...{ receipts, whole, fault, ...read },
  });
  for (let at = 0; at < due.length; ) {
    ports.signal.throwIfAborted();
    const some = takeSome(due.slice(at, at + READS_AT_ONCE), left.bytes - read.bytes, largest);
    const late = left.until !== undefined && ports.clock.now() >= left.until;
    if (late || some.length === 0) return { read: told(false), isWorthTelling: true };
    const asked = some.map(async (each) => {
      if (each.size <= largest) await prove(of.destination, each, ports.signal);
    });
    for (const [n, end] of (await Promise.allSettled(asked)).entries()) {
      const each = some[n] as Due;
      if (end.status === 'rejected') {
        const error: unknown = end.reason;
        const fault = error instanceof MemberRefused ? { name: error.fault.name, key: each.key } : null;
        return { read: told(false, fault), error, isWorthTelling: fault !== null || read.objects > 0 };
      }
      count(read, each, largest);
    }
    at += some.length;
  }
  return { read: told(true), isWorthTelling: true };
}

type Counts = Pick<Read, 'objects' | 'bytes' | 'unread' | 'newlyProven' | 'after'>;

function count(
  read: { -readonly [Key in keyof Counts]: Counts[Key] },
  { key, size, unproven }: Due,
  largest: number,
): void {
  read.after = key;
  if (size > largest) {
    read.unread += 1;
    return;
  }
  read.objects += 1;
  read.bytes += size;
  read.newlyProven += unproven;
}

/** From the first on, while there is room. What is too large for any turn takes none. */
function takeSome(due: readonly Due[], room: number, largest: number): readonly Due[] {
  let sum = 0;
  const full = due.findIndex(({ size }) => size <= largest && (sum += size) > room);
  return full === -1 ? due : due.slice(0, full);
}

/** The objects that have that day by their keys, behind the last that was read. */
async function dueOf({ vault }: ReadDayPorts, { member, place, backs }: DayAtMember) {
  const byKey = new Map<string, Due>();
  const seen = backs.newest?.upTo[place.day % READ_BACK_DAYS] ?? 0;
  const receipts = place.receipts ?? (await newestOf(vault, RECEIPTS, member.member));
  for await (const { value } of receiptsUpTo(vault, member, receipts)) {
    for (const { key, size, sha256: digest, outcome } of value.delivered) {
      if (key <= place.after || placeOf(sha256(Buffer.from(key))) !== place.day % READ_BACK_DAYS) continue;
      const known = byKey.get(key) ?? { key, size, sha256: digest, unproven: 0 };
      if (outcome === 'there' && value.seq > seen) known.unproven += 1;
      byKey.set(key, known);
    }
  }
  const due = [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return { receipts, due };
}

/** The member does not let us read any more: no fault, and the check that follows writes it down. */
export class ReadsTakenBack extends Error {
  override readonly name = 'ReadsTakenBack';
}

async function prove(destination: Destination, { key, size, sha256: digest }: Due, signal: AbortSignal): Promise<void> {
  const chunks = await destination.read?.(key, signal);
  if (chunks === undefined) {
    if ((await destination.mayRead?.(signal)) !== true) throw new ReadsTakenBack();
    throw new MemberRefused(missingAtMember(destination.url, key));
  }
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    // What is larger need not be read to its end, however large somebody has made it.
    if (length > size) break;
    hash.update(chunk);
  }
  if (length !== size || hash.digest('hex') !== digest) throw new MemberRefused(tampered(destination.url, key));
}
