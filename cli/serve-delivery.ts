import type { ServeAlarm } from '../core/alarms.ts';
import { LedgerholdError } from '../core/errors.ts';
import { memberAlarms } from '../core/member-alarms.ts';
import type { Member } from '../core/members.ts';
import { VaultUnavailable } from '../core/vault.ts';
import type { AlarmBoard } from '../local/alarm-board.ts';
import { checkWeekly } from '../vault/check-members.ts';
import { readMembers } from '../vault/members.ts';
import { proveMember } from '../vault/prove-member.ts';
import { openSigner } from './context.ts';
import { deliverNow, ownOf } from './deliver-now.ts';
import { lookAtMembers } from './member-look.ts';
import { type OpenRegistry, openRegistry } from './members.ts';
import { bytesText } from './render/units.ts';
import type { StepsWorld } from './serve-steps.ts';

/** What `serve` does for the members every hour and after each run that seals: delivers, and tells who is badly off. */
export async function deliverAndTell(world: StepsWorld, alarms: AlarmBoard, signal: AbortSignal): Promise<void> {
  const registry = await openRegistry(world.shell, world.loaded);
  const { note } = world.shell;
  // What is damaged of one member or chain ends the first of these, and is no reason to leave out the others.
  const orTold = (what: string, work: Promise<void>) =>
    work.catch((error: unknown) => tellOurs(world, what, error, signal));
  await orTold('the delivery to members failed', deliverAll(registry, note, signal));
  await orTold('not every destination was checked', checkAll(registry));
  await orTold('what members have was not read back', proveAll(registry, note, signal));
  await orTold('how far the members are cannot be told', tellMembers(registry, alarms, note, signal));
}

type Note = (text: string) => void;

async function deliverAll(registry: OpenRegistry, note: Note, signal: AbortSignal): Promise<void> {
  const { ends, unreadable, damages } = await deliverNow({ note, signal }, registry);
  for (const { member, objects, totals } of ends.filter((end) => end.objects > 0)) {
    note(`${member}: ${objects} objects delivered, ${bytesText(totals.bytes)} in all`);
  }
  for (const { id, fault } of unreadable) note(`${id}: ${fault.message}`);
  for (const { message } of damages) note(`the delivery to members failed: ${message}`);
}

/** What is wrong with our own vault has alarms of its own, and the next hour tries again. Throws whatever is a bug. */
function tellOurs({ shell: { note } }: StepsWorld, what: string, error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (!(error instanceof LedgerholdError)) throw error;
  note(`${what}: ${error.message}`);
}

/** Of each member an hour: what a disk gives in some minutes. */
const READ_IN_A_TURN = 32 * 2 ** 30;

const ownMembers = async (registry: OpenRegistry): Promise<Member[]> =>
  ownOf(registry, (await readMembers(registry.vault)).members);

const checkAll = async (registry: OpenRegistry): Promise<void> => checkWeekly(registry, await ownMembers(registry));

/** One after the other: reading is in no hurry, and is to be in nobody's way. */
async function proveAll(registry: OpenRegistry, note: Note, signal: AbortSignal): Promise<void> {
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

async function tellMembers(
  { vault, clock }: OpenRegistry,
  alarms: AlarmBoard,
  note: Note,
  signal: AbortSignal,
): Promise<void> {
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
