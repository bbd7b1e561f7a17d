import pLimit from 'p-limit';
import { type Destination, MemberRefused, MemberUnavailable } from '../core/delivery.ts';
import { isCheckDue, type Member, MemberActRefused, type MemberFault } from '../core/members.ts';
import { Instant } from '../core/names.ts';
import { actOn, type RegistryPorts } from './members.ts';

export interface CheckPorts extends RegistryPorts {
  readonly destinationOf: (member: Member) => Destination;
}

/**
 * Looks at a destination by trying, and writes down what was found. Rejects with `MemberUnavailable`, or with
 * `MemberActRefused` if another one was registered meanwhile.
 */
export async function checkMember(ports: CheckPorts, member: Member): Promise<Member> {
  const destination = ports.destinationOf(member);
  const faults = [...(await destination.check())];
  const reads = faults.length === 0 && (await mayRead(destination, faults));
  const at = Instant.parse(ports.clock.now().toISOString());
  const report = { at, faults, reads };
  return (await actOn(ports, member.member, { what: 'check', since: member.since, report })).value;
}

/** A refusal that only shows now is a fault like any other. */
async function mayRead(destination: Destination, faults: MemberFault[]): Promise<boolean> {
  try {
    return (await destination.mayRead?.(AbortSignal.any([]))) === true;
  } catch (error) {
    if (!(error instanceof MemberRefused)) throw error;
    faults.push(error.fault);
    return false;
  }
}

const CHECKS_AT_ONCE = 16;

/**
 * Every destination that files go to is looked at once a week, and any that is new or that somebody has asked about at
 * once. One that is not reached is the delivery's to tell, and what was asked stays so.
 */
export async function checkWeekly(ports: CheckPorts, members: readonly Member[]): Promise<Member[]> {
  const limit = pLimit(CHECKS_AT_ONCE);
  const now = ports.clock.now();
  const old = members.filter((member) => isCheckDue(member, now));
  const checked = await Promise.all(
    old.map((member) =>
      limit(() =>
        checkMember(ports, member).catch((error: unknown) => {
          if (error instanceof MemberUnavailable || error instanceof MemberActRefused) return member;
          throw error;
        }),
      ),
    ),
  );
  return checked;
}
