import { faultOf, MemberRefused, MemberUnavailable } from '../core/delivery.ts';
import { isDue, type Member, MemberActRefused, type MemberFault } from '../core/members.ts';
import { grantsReads, isReadBackDue, placeAfter } from '../core/read-back.ts';
import { type CheckPorts, checkMember } from './check-members.ts';
import type { ReceiptPorts } from './deliveries.ts';
import { actOn } from './members.ts';
import { appendReadBack, readBacksOf } from './read-backs.ts';
import { type ReadBounds, ReadsTakenBack, readDay } from './read-day.ts';

export type { ReadBounds } from './read-day.ts';

export interface ProveMemberPorts extends CheckPorts, ReceiptPorts {
  readonly signal: AbortSignal;
}

/** How a turn of reading back ended for one member. */
export interface ReadBackEnd {
  /** `idle`: nothing was due, or the member does not let us read. `more`: the next turn goes on. */
  readonly outcome: 'idle' | 'whole' | 'more' | 'suspended' | 'failed';
  /** That were read, and are as the receipts say. */
  readonly objects: number;
  readonly bytes: number;
  readonly fault?: MemberFault;
}

const IDLE: ReadBackEnd = { outcome: 'idle', objects: 0, bytes: 0 };

/**
 * Reads what is due of a member's share, where it lets us, and holds its SHA-256 against the receipts. What is otherwise
 * suspends the member by that fault; nothing is put there. Rejects for what is ours, like `deliver`.
 */
export async function proveMember(ports: ProveMemberPorts, member: Member, bounds: ReadBounds): Promise<ReadBackEnd> {
  const destination = ports.destinationOf(member);
  if (!grantsReads(member) || !isDue(member, ports.clock.now()) || destination.read === undefined) return IDLE;
  let backs = await readBacksOf(ports.vault, member);
  if (!isReadBackDue(backs.newest, ports.clock.now())) return IDLE;
  const sum = { objects: 0, bytes: 0 };
  for (;;) {
    const place = placeAfter(backs.newest, ports.clock.now());
    if (place === undefined) return { outcome: 'whole', ...sum };
    const left = { ...bounds, bytes: bounds.bytes - sum.bytes };
    const reading = await readDay(ports, { member, destination, place, backs }, left, bounds.bytes);
    const written = reading.isWorthTelling ? await appendReadBack(ports, member, backs, reading.read) : undefined;
    sum.objects += reading.read.objects;
    sum.bytes += reading.read.bytes;
    if (reading.error !== undefined) return { ...(await settle(ports, member, reading.error)), ...sum };
    if (written === undefined || !reading.read.whole) return { outcome: 'more', ...sum };
    backs = written;
  }
}

/** Writes into the registry what ended a turn. Rejects with what is no word about the member. */
async function settle(
  ports: ProveMemberPorts,
  member: Member,
  error: unknown,
): Promise<Pick<ReadBackEnd, 'outcome' | 'fault'>> {
  const { member: id, since } = member;
  try {
    if (error instanceof ReadsTakenBack) {
      await checkMember(ports, member);
      return { outcome: 'idle' };
    }
    if (!(error instanceof MemberRefused || error instanceof MemberUnavailable)) throw error;
    const fault = faultOf(error);
    const suspends = error instanceof MemberRefused;
    await actOn(ports, id, { what: suspends ? 'suspend' : 'degrade', since, fault });
    return { outcome: suspends ? 'suspended' : 'failed', fault };
  } catch (failure) {
    // It left, was switched off or was registered anew meanwhile: what was found says nothing now.
    if (failure instanceof MemberActRefused || failure instanceof MemberUnavailable) return { outcome: 'failed' };
    throw failure;
  }
}
