import { isCheckDue, isDue, type Member, MemberActRefused } from '../../core/members.ts';
import type { Journal } from '../../core/ports.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import { checkOrDegrade } from '../../vault/check-members.ts';
import { type DeliverPorts, deliverAll } from '../../vault/deliver.ts';
import { isDamage } from '../../vault/deliverables.ts';
import { chainHeads, memberStanding } from '../../vault/member-status.ts';
import { isActedOn, readMember } from '../../vault/members.ts';
import { proveMember } from '../../vault/prove-member.ts';
import type { deliverMember } from './contract.ts';

export interface DeliverMemberPorts extends Omit<DeliverPorts, 'signal'> {
  readonly journal: Journal;
  /** Whether it goes to this member, who may have registered another destination since it was listed. */
  readonly serves: (member: Member) => boolean;
  /** After so long no further object is begun. Milliseconds. */
  readonly turn: number;
}

/** A copy within S3 takes part of a second and none of our time: so many at once, within what S3 lets one prefix do. */
const COPIES_AT_ONCE = 32;

export async function run(
  { member: id }: InputOf<typeof deliverMember>,
  ports: DeliverMemberPorts,
): Promise<OutputOf<typeof deliverMember>> {
  const found = (await readMember(ports.vault, id))?.value;
  if (found === undefined || !ports.serves(found)) return { outcome: 'off', more: false, objects: 0 };
  const member = isCheckDue(found, ports.clock.now()) ? await checked(ports, found) : found;
  if (typeof member === 'string') return { outcome: member, more: member === 'off', objects: 0 };
  const until = new Date(ports.clock.now().getTime() + ports.turn);
  const work = { ...ports, signal: AbortSignal.any([]) };
  const { outcome, objects, damages } = await delivered(work, member, until);
  // A damaged chain stops no other one: the execution fails by it once all that is sound is there, and read back.
  const goesOn = damages.length === 0 || (objects > 0 && ports.clock.now() >= until);
  if (outcome === 'more' && goesOn) return { outcome, more: true, objects };
  const reads = outcome === 'whole' || outcome === 'more';
  const isOld = reads
    ? await readBack(work, member, until)
    : outcome === 'off' || (await isActedOn(ports, id, found.n));
  if (damages.length > 0) throw damages[0];
  return { outcome, more: isOld && (await isWanted(ports, id)), objects };
}

/**
 * Whether there is something to do for it since: whoever sealed, asked or made it a target meanwhile found it at work, and
 * left it to this execution. Each time somebody has done so: what this turn could do is done.
 */
async function isWanted({ vault, clock }: DeliverMemberPorts, id: string): Promise<boolean> {
  const member = (await readMember(vault, id))?.value;
  if (member === undefined) return false;
  if (isCheckDue(member, clock.now())) return true;
  if (!isDue(member, clock.now())) return false;
  // What is damaged has been told by the turn.
  const { chains } = await memberStanding(vault, member, await chainHeads(vault, () => {}));
  return chains.some(({ manifests }) => manifests > 0);
}

/** How a turn ended for the member, and what of the vault was found damaged. Rejects with all else that is ours. */
async function delivered(ports: DeliverPorts & DeliverMemberPorts, member: Member, until: Date) {
  const { ends, failures } = await deliverAll(ports, [member], { until, atOnce: COPIES_AT_ONCE });
  const [end] = ends;
  const ours = failures.filter((error) => end === undefined || !isDamage(error));
  if (ours.length > 0) throw ours[0];
  if (end === undefined) throw new TypeError('a delivery to one member has one end');
  const { outcome, objects, fault } = end;
  const about = { member: member.member };
  ports.journal.note('delivered', { ...about, outcome, objects, ...(fault && { fault: fault.name }) });
  for (const error of failures) ports.journal.failure('damaged', about, error);
  return { outcome, objects, damages: failures };
}

/** What a Lambda reads and hashes in some two minutes. */
const READ_IN_A_TURN = 8 * 2 ** 30;

/**
 * Reads what is due of a share where the member lets us. Resolves to whether what the delivery saw last may be old by now:
 * reading has taken its time, or the registry has another version.
 */
async function readBack(ports: DeliverPorts & DeliverMemberPorts, member: Member, until: Date): Promise<boolean> {
  const now = (await readMember(ports.vault, member.member))?.value;
  if (now === undefined) return false;
  const { outcome, objects, bytes, fault } = await proveMember(ports, now, { bytes: READ_IN_A_TURN, until });
  if (outcome === 'idle') return now.n !== member.n;
  const about = { member: member.member, outcome, objects, bytes };
  ports.journal.note('read back', { ...about, ...(fault && { fault: fault.name }) });
  return true;
}

/**
 * `failed`: its store is not reached, and the registry says so; it is looked at again with the next hour. `off`: it was
 * registered anew or has left meanwhile, and the next turn looks at what holds now.
 */
async function checked(ports: DeliverMemberPorts, found: Member): Promise<Member | 'failed' | 'off'> {
  try {
    const { member, unanswered } = await checkOrDegrade(ports, found);
    if (unanswered === undefined) return member;
    ports.journal.failure('not checked', { member: member.member }, unanswered);
    return 'failed';
  } catch (error) {
    if (error instanceof MemberActRefused) return 'off';
    throw error;
  }
}
