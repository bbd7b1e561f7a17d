import pLimit from 'p-limit';
import { type Destination, faultOf, MemberRefused, MemberUnavailable } from '../core/delivery.ts';
import { isCheckDue, isDue, type Member, MemberActRefused, type MemberFault } from '../core/members.ts';
import { Instant } from '../core/names.ts';
import { actOn, type RegistryPorts } from './members.ts';

export interface CheckPorts extends RegistryPorts {
  readonly destinationOf: (member: Member) => Destination;
  /** Ends a check that waits for an answer. */
  readonly signal?: AbortSignal;
}

/**
 * Looks at a destination by trying, and writes down what was found. Rejects with `MemberUnavailable`, with the reason of
 * `signal`, or with `MemberActRefused` if another one was registered meanwhile.
 */
export async function checkMember(ports: CheckPorts, member: Member): Promise<Member> {
  const destination = ports.destinationOf(member);
  const faults = [...(await destination.check(ports.signal))];
  const reads = faults.length === 0 && (await mayRead(destination, faults, ports.signal));
  const at = Instant.parse(ports.clock.now().toISOString());
  const report = { at, faults, reads };
  return (await actOn(ports, member.member, { what: 'check', since: member.since, report })).value;
}

/** A refusal that only shows now is a fault like any other. */
async function mayRead(
  destination: Destination,
  faults: MemberFault[],
  signal = AbortSignal.any([]),
): Promise<boolean> {
  try {
    return (await destination.mayRead?.(signal)) === true;
  } catch (error) {
    if (!(error instanceof MemberRefused)) throw error;
    faults.push(error.fault);
    return false;
  }
}

/**
 * The same for whoever comes by again: that its store is not reached is written down like a delivery that fails, and
 * what was asked stays so. A suspension says more, and one that has failed already is not told so twice before its next
 * try. Resolves to the member as it is then. Rejects with `MemberActRefused` alike.
 */
export async function checkOrDegrade(
  ports: CheckPorts,
  member: Member,
): Promise<{ readonly member: Member; readonly unanswered?: MemberUnavailable }> {
  try {
    return { member: await checkMember(ports, member) };
  } catch (error) {
    if (!(error instanceof MemberUnavailable)) throw error;
    const isTold = member.state === 'degraded' && !isDue(member, ports.clock.now());
    if (isTold || member.state === 'suspended') return { member, unanswered: error };
    const act = { what: 'degrade', since: member.since, fault: faultOf(error) } as const;
    return { member: (await actOn(ports, member.member, act)).value, unanswered: error };
  }
}

const CHECKS_AT_ONCE = 16;

/**
 * Every destination that files go to is looked at once a week, and any that is new or that somebody has asked about at
 * once. What is ours and keeps one from being looked at keeps no other: rejects with the first of it, at the end.
 */
export async function checkWeekly(ports: CheckPorts, members: readonly Member[]): Promise<void> {
  const limit = pLimit(CHECKS_AT_ONCE);
  const now = ports.clock.now();
  const old = members.filter((member) => isCheckDue(member, now));
  const looked = await Promise.allSettled(old.map((member) => limit(() => checkOrDegrade(ports, member))));
  const failed = looked.find((each) => each.status === 'rejected' && !(each.reason instanceof MemberActRefused));
  if (failed?.status === 'rejected') throw failed.reason;
}
