import pLimit from 'p-limit';
import type { ServeAlarm } from '../core/alarms.ts';
import { LedgerholdError } from '../core/errors.ts';
import { memberAlarms } from '../core/member-alarms.ts';
import { isDue, type Member } from '../core/members.ts';
import { VaultUnavailable } from '../core/vault.ts';
import type { AlarmBoard } from '../local/alarm-board.ts';
import { checkWeekly } from '../vault/check-members.ts';
import type { DeliveryEnd } from '../vault/deliver.ts';
import { readMembers } from '../vault/members.ts';
import { proveMember } from '../vault/prove-member.ts';
import { openSigner } from './context.ts';
import { deliverNow, ownOf } from './deliver-now.ts';
import { lookAtMembers } from './member-look.ts';
import type { OpenRegistry } from './members.ts';
import { bytesText } from './render/units.ts';
import type { Shell } from './shell.ts';

interface TurnPorts {
  /** The registry as it is now. Rejects with what keeps this turn from it. */
  readonly open: () => Promise<OpenRegistry>;
  readonly note: Shell['note'];
  readonly alarms: AlarmBoard;
}

interface Turn extends Omit<TurnPorts, 'open'> {
  readonly registry: OpenRegistry;
  readonly signal: AbortSignal;
  /** Whom a delivery is on its way to, of this turn or of one before: whether it was left out since it set out. */
  readonly onTheWay: Map<string, boolean>;
}

/**
 * What `serve` does for the members, every hour and after each run that seals: delivers, and tells who is badly off. Who
 * is still on the way from a turn before is left out, and delivered to again once it is there: nobody waits for one that
 * is slow.
 */
export function memberTurns({ open, note, alarms }: TurnPorts): (signal: AbortSignal) => Promise<void> {
  const onTheWay = new Map<string, boolean>();
  const oneByOne = pLimit(1);
  let isReading = false;
  return (signal) =>
    orTold({ note, signal }, 'the members cannot be served', async () => {
      const turn = { registry: await open(), note, alarms, signal, onTheWay };
      await deliverTo(turn, () => true);
      // What is damaged of one member or chain ends the first of these, and is no reason to leave out the others.
      await oneByOne(() => orTold(turn, 'not every destination was checked', () => checkAll(turn)));
      if (!isReading) {
        isReading = true;
        await orTold(turn, 'what members have was not read back', () => proveAll(turn)).finally(() => {
          isReading = false;
        });
      }
      await oneByOne(() => orTold(turn, 'how far the members are cannot be told', () => tellMembers(turn)));
    });
}

/** What is wrong with our own vault has alarms of its own, and the next hour tries again. Throws whatever is a bug. */
async function orTold({ note, signal }: Pick<Turn, 'note' | 'signal'>, what: string, work: () => Promise<void>) {
  signal.throwIfAborted();
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof LedgerholdError)) throw error;
    note(`${what}: ${error.message}`);
  }
}

/** To those of `among` that are due and not on the way. */
async function deliverTo(turn: Turn, among: (member: string) => boolean): Promise<void> {
  const { registry, note, signal, onTheWay } = turn;
  const own = new Set<string>();
  const again: Promise<void>[] = [];
  const takes = (each: Member): boolean => {
    const { member } = each;
    if (!among(member) || !isDue(each, registry.clock.now())) return false;
    const isFree = !onTheWay.has(member);
    onTheWay.set(member, !isFree);
    if (isFree) own.add(member);
    return isFree;
  };
  // Together, so that what they were left out of is read once for all of them.
  const release = (members: readonly string[]): void => {
    const released = members.filter((id) => own.delete(id));
    const leftOut = new Set(released.filter((id) => onTheWay.get(id) === true));
    for (const id of released) onTheWay.delete(id);
    if (leftOut.size === 0 || signal.aborted) return;
    const behind = deliverTo(turn, (id) => leftOut.has(id));
    // Looked at once the others are there; until then nobody waits for it.
    behind.catch(() => {});
    again.push(behind);
  };
  const onArrived = (members: readonly string[], ends: readonly DeliveryEnd[]): void => {
    for (const { member, objects, totals } of ends) {
      if (objects > 0) note(`${member}: ${objects} objects delivered, ${bytesText(totals.bytes)} in all`);
    }
    release(members);
  };
  try {
    await orTold(turn, 'the delivery to members failed', async () => {
      const { damages } = await deliverNow({ note, signal }, registry, { takes, onArrived });
      for (const { message } of damages) note(`the delivery to members failed: ${message}`);
    });
  } finally {
    release([...own]);
    await Promise.all(again);
  }
}

/** Of each member an hour: what a disk gives in some minutes. */
const READ_IN_A_TURN = 32 * 2 ** 30;

const ownMembers = async (registry: OpenRegistry): Promise<Member[]> =>
  ownOf(registry, (await readMembers(registry.vault)).members);

const checkAll = async ({ registry }: Turn): Promise<void> => checkWeekly(registry, await ownMembers(registry));

/** One after the other: reading is in no hurry, and is to be in nobody's way. */
async function proveAll({ registry, note, signal }: Turn): Promise<void> {
  const ports = { ...registry, signer: await openSigner(registry.loaded), signal };
  for (const member of await ownMembers(registry)) {
    try {
      const { objects, bytes, fault } = await proveMember(ports, member, { bytes: READ_IN_A_TURN });
      if (objects > 0) note(`${member.member}: ${objects} objects read back, ${bytesText(bytes)}`);
      if (fault !== undefined) note(`${member.member}: ${fault.name}: ${fault.message}`);
    } catch (error) {
      // Of one member's receipts or proofs, or the role that reads there: the others are read all the same.
      if (!(error instanceof LedgerholdError) || error instanceof VaultUnavailable) throw error;
      note(`${member.member} was not read back: ${error.message}`);
    }
  }
}

async function tellMembers({ registry: { vault, clock }, note, alarms, signal }: Turn): Promise<void> {
  const { statuses, unreadable, lost } = await lookAtMembers(vault);
  for (const line of lost) note(line);
  for (const { id, fault } of unreadable) {
    await alarms.raise('MEMBER_SUSPENDED', id, fault.name, { what: fault.message, error: fault }, signal);
  }
  for (const { member, chains, lastReceiptAt } of statuses) {
    const behindSince = chains.map((chain) => chain.behindSince);
    for (const [alarm, what] of Object.entries(memberAlarms({ ...member, lastReceiptAt, behindSince }, clock.now()))) {
      const name = alarm as ServeAlarm;
      if (what !== undefined) await alarms.raise(name, member.member, member.fault?.name ?? '', { what }, signal);
      // Of a chain that is damaged nobody is known to have all.
      else if (lost.length === 0) await alarms.clear(name, member.member, 'it has what it is to have', signal);
    }
  }
}
