import type { ServeAlarm } from '../core/alarms.ts';
import { LedgerholdError } from '../core/errors.ts';
import { memberAlarms } from '../core/member-alarms.ts';
import type { Member } from '../core/members.ts';
import type { AlarmBoard } from '../local/alarm-board.ts';
import { checkWeekly } from '../vault/check-members.ts';
import { isDamage } from '../vault/deliverables.ts';
import { chainHeads, memberStatus } from '../vault/member-status.ts';
import { readMembers } from '../vault/members.ts';
import { type ProveMemberPorts, proveMember } from '../vault/prove-member.ts';
import { openSigner } from './context.ts';
import { deliverNow, ownOf } from './deliver-now.ts';
import { type OpenRegistry, openRegistry } from './members.ts';
import { bytesText } from './render/units.ts';
import type { StepsWorld } from './serve-steps.ts';

/** What `serve` does for the members every hour and after each run that seals: delivers, and tells who is badly off. */
export async function deliverAndTell(world: StepsWorld, alarms: AlarmBoard, signal: AbortSignal): Promise<void> {
  const registry = await openRegistry(world.shell, world.loaded);
  const { note } = world.shell;
  try {
    const { ends, unreadable } = await deliverNow({ note, signal }, registry);
    for (const { member, objects, totals } of ends.filter((end) => end.objects > 0)) {
      note(`${member}: ${objects} objects delivered, ${bytesText(totals.bytes)} in all`);
    }
    for (const { id, fault } of unreadable) note(`${id}: ${fault.message}`);
    const members = async () => ownOf(registry, (await readMembers(registry.vault)).members);
    await checkWeekly(registry, await members());
    await proveAll({ ...registry, signer: await openSigner(world.loaded), signal }, await members(), note);
  } catch (error) {
    // It is our own vault: whoever then lags is told of below.
    tellOurs(world, 'the delivery to members failed', error, signal);
  }
  await tellMembers(registry, alarms, signal).catch((error: unknown) => {
    tellOurs(world, 'how far the members are cannot be told', error, signal);
  });
}

/** What is wrong with our own vault has alarms of its own, and the next hour tries again. Throws whatever is a bug. */
function tellOurs({ shell: { note } }: StepsWorld, what: string, error: unknown, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (!(error instanceof LedgerholdError)) throw error;
  note(`${what}: ${error.message}`);
}

/** Of each member an hour: what a disk gives in some minutes. */
const READ_IN_A_TURN = 32 * 2 ** 30;

/** One after the other: reading is in no hurry, and is to be in nobody's way. */
async function proveAll(ports: ProveMemberPorts, members: readonly Member[], note: (text: string) => void) {
  for (const member of members) {
    try {
      const { objects, bytes, fault } = await proveMember(ports, member, { bytes: READ_IN_A_TURN });
      if (objects > 0) note(`${member.member}: ${objects} objects read back, ${bytesText(bytes)}`);
      if (fault !== undefined) note(`${member.member}: ${fault.name}: ${fault.message}`);
    } catch (error) {
      // Of one member's receipts or proofs: the others are read all the same.
      if (!isDamage(error)) throw error;
      note(`${member.member} was not read back: ${(error as Error).message}`);
    }
  }
}

async function tellMembers({ vault, clock }: OpenRegistry, alarms: AlarmBoard, signal: AbortSignal): Promise<void> {
  const { members, unreadable } = await readMembers(vault);
  for (const { id, fault } of unreadable) {
    await alarms.raise('MEMBER_SUSPENDED', id, fault.name, { what: fault.message, error: fault }, signal);
  }
  const heads = members.length === 0 ? undefined : await chainHeads(vault);
  for (const { value: member } of members) {
    const { chains, lastReceiptAt } = await memberStatus(vault, member, heads);
    const behindSince = chains.map((chain) => chain.behindSince);
    for (const [alarm, what] of Object.entries(memberAlarms({ ...member, lastReceiptAt, behindSince }, clock.now()))) {
      const name = alarm as ServeAlarm;
      if (what === undefined) await alarms.clear(name, member.member, 'it has what it is to have', signal);
      else await alarms.raise(name, member.member, member.fault?.name ?? '', { what }, signal);
    }
  }
}
