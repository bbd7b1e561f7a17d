import { type MemberFault, SUSPENDED_BY_HAND } from './members.ts';

/** What must be known of a member to see whether somebody is to be told. Instants are ISO 8601, UTC. */
export interface WatchedMember {
  readonly state: string;
  readonly fault: MemberFault | null;
  readonly environmentBackupTarget: boolean;
  /** Since when it is a backup target. */
  readonly targetSince: string | null;
  readonly lastReceiptAt: string | null;
  /** Of each chain that it wants: since when it lacks something; null: it lacks nothing. */
  readonly behindSince: readonly (string | null)[];
}

export type MemberAlarm = 'MEMBER_SUSPENDED' | 'MEMBER_LAGS' | 'BACKFILL_STALLED';

/** A chain is exported up to four times a day: whoever misses one delivery is told with the next. */
export const LAG_SECONDS = 6 * 3600;
/** Delivery comes every hour: two that bring nothing are no accident. */
export const STALL_SECONDS = 2 * 3600;

/** Each alarm of one member with what is to be told; undefined: it is not raised. */
export function memberAlarms(member: WatchedMember, now: Date): Readonly<Record<MemberAlarm, string | undefined>> {
  const { state, fault, environmentBackupTarget, targetSince, lastReceiptAt } = member;
  const told: Record<MemberAlarm, string | undefined> = {
    ...{ MEMBER_SUSPENDED: undefined, MEMBER_LAGS: undefined, BACKFILL_STALLED: undefined },
  };
  if (state === 'suspended' && fault?.name !== SUSPENDED_BY_HAND) {
    told.MEMBER_SUSPENDED = `${fault?.name}: ${fault?.message}`;
  }
  const oldest = member.behindSince.filter((since) => since !== null).toSorted()[0];
  if (!environmentBackupTarget || targetSince === null || state === 'suspended' || oldest === undefined) return told;
  const why = fault === null ? '' : `; ${fault.name}: ${fault.message}`;
  const secondsSince = (instant: string) => (now.getTime() - Date.parse(instant)) / 1000;
  // What was sealed before it became a target is the backfill: it may take as long as it goes on.
  if (Date.parse(oldest) < Date.parse(targetSince)) {
    const moved = lastReceiptAt !== null && lastReceiptAt > targetSince ? lastReceiptAt : targetSince;
    if (secondsSince(moved) > STALL_SECONDS) told.BACKFILL_STALLED = `nothing was delivered since ${moved}${why}`;
  } else if (secondsSince(oldest) > LAG_SECONDS) {
    told.MEMBER_LAGS = `it lacks what was sealed at ${oldest}${why}`;
  }
  return told;
}
