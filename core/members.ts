import * as z from 'zod';
import { stillEmptied } from './check-reports.ts';
import { MemberDestination } from './destination.ts';
import { LedgerholdError } from './errors.ts';
import { retryAfter, retryNow } from './member-retry.ts';
import { Instant, NetworkName, Sha256 } from './names.ts';

/** An organisation with a bucket of its own. Lower-case letters, digits and hyphens, at most 40. */
export const MemberId = z
  .string()
  .max(40)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/)
  .brand('MemberId');
export type MemberId = z.infer<typeof MemberId>;

/** What went wrong at a member, in words that a person there can act on. */
export const MemberFault = z.strictObject({ name: z.string(), message: z.string(), remedy: z.string() });
export type MemberFault = z.infer<typeof MemberFault>;

/** What was found when a destination was looked at before anything was put there: each by its name. */
export const CheckReport = z.strictObject({
  at: Instant,
  /** Empty: it is as it must be. */
  faults: z.array(MemberFault),
  /** Whether the member lets us read back what was delivered; absent: it was not tried. */
  reads: z.boolean().optional(),
});
export type CheckReport = z.infer<typeof CheckReport>;

/** The fault of a suspension that an operator has spoken. */
export const SUSPENDED_BY_HAND = 'SUSPENDED';

export const MemberState = z.enum(['invited', 'checked', 'active', 'degraded', 'suspended', 'left']);
export type MemberState = z.infer<typeof MemberState>;

/** `members/<id>/<n>.json`: one version of a member, written once. The newest is what holds. */
export const Member = z.strictObject({
  format: z.literal('ledgerhold/member/1'),
  ...{ network: NetworkName, member: MemberId, n: z.int().min(1) },
  /** SHA-256 of the bytes of version `n - 1`; null for the first. */
  previous: Sha256.nullable(),
  at: Instant,
  /** Who wants it so: an account's principal, or user and host on one machine. */
  by: z.string().min(1).max(300),
  /** What was done, in one word. */
  what: z.enum(['invite', 'register', 'ask', 'check', 'set', 'degrade', 'recover', 'suspend', 'resume', 'leave']),
  state: MemberState,
  destination: MemberDestination.nullable(),
  /** The version with which what was delivered before no longer counts: the destination is another one since. 0: none. */
  since: z.int().min(0),
  /** What is in the history goes to this member, and what is missing there meanwhile is sent after. */
  environmentBackupTarget: z.boolean(),
  /** Since when it is one; null while it is not. */
  targetSince: Instant.nullable(),
  /** Names of the chains that it wants; null: every one. */
  chains: z.array(z.string()).nullable(),
  /** False: it takes their records, evidence and manifests alone, and none of the files. Absent: these, too. */
  chainFiles: z.literal(false).optional(),
  /** Of this destination; null before the first check. */
  check: CheckReport.nullable(),
  /** Since when a check is wanted that the next delivery makes; absent: none is, beside that of a new destination. */
  checkAsked: Instant.optional(),
  /** Present once a check of this destination has found nothing: what that check has left there is there from then on. */
  wasSound: z.literal(true).optional(),
  /** Present once it has left by itself: it may register again, which of one that was taken out the operator alone does. */
  mayReturn: z.literal(true).optional(),
  /** What `degraded` and `suspended` are about; before that, why the check that is wanted could not be made. */
  fault: MemberFault.nullable(),
  /** While degraded: failures in a row, and when it is tried again. */
  retry: z.strictObject({ failures: z.int().min(1), at: Instant }).nullable(),
  /** SHA-256 of this document without this field: versions are not signed, but one that was edited must show. */
  self: Sha256,
});
export type Member = z.infer<typeof Member>;

/** What was seen at a destination is no word on the one that was registered since. */
interface OfRegistration {
  /** The member's `since` as it was then; absent: whichever is registered. */
  readonly since?: number;
}

/** What a member has a say in. */
export type Wishes = Pick<Member, 'environmentBackupTarget' | 'chains'> & { readonly chainFiles: boolean };

/** What can be done to a member. */
export type MemberAct =
  | { readonly what: 'invite' }
  | { readonly what: 'register'; readonly destination: MemberDestination }
  | { readonly what: 'ask' }
  | ({ readonly what: 'check'; readonly report: CheckReport } & OfRegistration)
  | ({ readonly what: 'set' } & Partial<Wishes>)
  | ({ readonly what: 'degrade'; readonly fault: MemberFault } & OfRegistration)
  | ({ readonly what: 'recover' } & OfRegistration)
  | ({ readonly what: 'suspend'; readonly fault: MemberFault } & OfRegistration)
  | { readonly what: 'resume' }
  | { readonly what: 'leave'; readonly byItself?: boolean };

/** The act does not fit the state that the member is in. */
export class MemberActRefused extends LedgerholdError {
  override readonly name = 'MemberActRefused';
  readonly kind = 'refused';
}

/** Too much was changed within a day: each version is kept for good, and each registration costs a check and a fill. */
export class TooManyActs extends LedgerholdError {
  override readonly name = 'TooManyActs';
  readonly kind = 'refused';
}

/** What an act makes of a member, without what the registry adds of itself. */
export type Standing = Pick<
  Member,
  'state' | 'destination' | 'since' | 'environmentBackupTarget' | 'targetSince' | 'chains' | 'check' | 'fault' | 'retry'
> &
  Partial<Pick<Member, 'chainFiles' | 'checkAsked' | 'wasSound' | 'mayReturn'>>;

const NOBODY: Standing = {
  ...{ state: 'invited', destination: null, since: 0, environmentBackupTarget: false, targetSince: null },
  ...{ chains: null, check: null, fault: null, retry: null },
};

/** The state that the rest of a standing comes to, where nobody has suspended it and nothing fails. */
const atPeace = ({ destination, check, environmentBackupTarget }: Standing): MemberState => {
  if (destination === null || check === null || check.faults.length > 0) return 'invited';
  return environmentBackupTarget ? 'active' : 'checked';
};

/**
 * What version `n` holds after an act. Throws `MemberActRefused`. A suspension ends by a person alone: by `resume` and a
 * check that finds nothing, or by a new registration, after which what was delivered before does not count.
 */
export function afterAct(before: Member | undefined, act: MemberAct, n: number, now: Date): Standing {
  const was: Standing = before === undefined ? NOBODY : { ...NOBODY, ...standingOf(before) };
  if (was.state === 'left' && !['invite', 'register', 'leave'].includes(act.what)) throw refusedActOn(before, act);
  if ('since' in act && act.since !== undefined && act.since !== was.since) {
    throw refusedActOn(before, act, 'another destination was registered meanwhile');
  }
  const settled = (standing: Standing): Standing => ({ ...standing, state: atPeace(standing) });
  switch (act.what) {
    case 'invite':
      return was.state === 'left' ? NOBODY : was;
    case 'register':
      return { ...NOBODY, chains: was.chains, chainFiles: was.chainFiles, destination: act.destination, since: n };
    case 'ask':
      if (was.destination === null) throw refusedActOn(before, act);
      return {
        ...{ ...was, retry: retryNow(was.retry, now) },
        ...(!isCheckWanted(was) && { checkAsked: Instant.parse(now.toISOString()) }),
      };
    case 'check': {
      if (was.destination === null) throw refusedActOn(before, act);
      const { checkAsked: _, ...rest } = was;
      const report = stillEmptied(was.check, act.report);
      const wasSound = was.wasSound === true || report.faults.length === 0;
      const checked = { ...rest, check: report, ...(wasSound && { wasSound }) };
      const [fault] = report.faults;
      if (was.state === 'suspended') return checked;
      if (fault === undefined) return was.state === 'degraded' ? checked : settled({ ...checked, fault: null });
      if (was.state === 'invited') return { ...checked, fault: null };
      return { ...checked, state: 'suspended', fault, retry: null };
    }
    case 'set': {
      const { environmentBackupTarget = was.environmentBackupTarget, chains = was.chains } = act;
      const chainFiles: false | undefined = (act.chainFiles ?? was.chainFiles) === false ? false : undefined;
      // What it went without is a backfill, like what was there before it became a target.
      const wantsMore = was.chains !== null && (chains === null || chains.some((each) => !was.chains?.includes(each)));
      const goesOn = was.environmentBackupTarget && !wantsMore && (was.chainFiles !== false || chainFiles === false);
      const since = goesOn ? was.targetSince : Instant.parse(now.toISOString());
      const targetSince = environmentBackupTarget ? since : null;
      const set = { ...was, environmentBackupTarget, targetSince, chains, chainFiles };
      return was.state === 'suspended' || was.state === 'degraded' ? set : settled(set);
    }
    case 'degrade': {
      // Nothing goes there that could fail but the check: why it was not made is seen until it is.
      if ((was.state === 'invited' || was.state === 'checked') && isCheckWanted(was))
        return { ...was, fault: act.fault };
      if (was.state !== 'active' && was.state !== 'degraded') throw refusedActOn(before, act);
      return { ...was, state: 'degraded', fault: act.fault, retry: retryAfter(was.retry, now) };
    }
    case 'recover':
      return was.state === 'degraded' ? settled({ ...was, fault: null, retry: null }) : was;
    case 'suspend': {
      // What an operator has spoken, no fault that comes after it takes back.
      if (was.state === 'suspended' && byHand(was.fault) && !byHand(act.fault)) return was;
      const suspended: Standing = { ...was, state: 'suspended', fault: act.fault, retry: null };
      // After a refusal the destination is looked at again: its last check says nothing now.
      if (byHand(act.fault) || was.destination === null) return suspended;
      return { ...suspended, checkAsked: was.checkAsked ?? Instant.parse(now.toISOString()) };
    }
    case 'resume': {
      if (was.state !== 'suspended' && was.state !== 'degraded') return was;
      if (
        was.destination !== null &&
        (was.check === null || was.check.faults.length > 0 || was.checkAsked !== undefined)
      ) {
        throw refusedActOn(before, act, 'its destination has not been found as it must be since');
      }
      return settled({ ...was, fault: null, retry: null });
    }
    case 'leave': {
      const { mayReturn: before, ...rest } = was;
      // By leaving nobody gets around what an operator has spoken, before or after.
      const spoken = was.state === 'left' ? before === undefined : byHand(was.fault);
      const mayReturn = act.byItself === true && !spoken;
      const left = { ...rest, state: 'left', environmentBackupTarget: false, targetSince: null } as const;
      return { ...left, fault: null, retry: null, ...(mayReturn && { mayReturn }) };
    }
  }
}

const byHand = (fault: MemberFault | null): boolean => fault?.name === SUSPENDED_BY_HAND;

function standingOf(member: Member): Standing {
  const { state, destination, since, environmentBackupTarget, targetSince, chains, check, fault, retry } = member;
  const standing = { state, destination, since, environmentBackupTarget, targetSince, chains, check, fault, retry };
  const { chainFiles, checkAsked, wasSound, mayReturn } = member;
  return { ...standing, chainFiles, checkAsked, wasSound, mayReturn };
}

/** Whether its destination is to be looked at with the next delivery: it is new, or somebody has asked. */
export const isCheckWanted = (member: Pick<Standing, 'state' | 'destination' | 'check' | 'checkAsked'>): boolean =>
  member.destination !== null && member.state !== 'left' && (member.check === null || member.checkAsked !== undefined);

function refusedActOn(member: Member | undefined, { what }: MemberAct, why?: string): MemberActRefused {
  const state = member?.state ?? 'not yet invited';
  return new MemberActRefused(
    `${member?.member ?? 'the member'} is ${state}, and cannot ${what}${why === undefined ? '' : `: ${why}`}`,
    'See `ledgerhold members list`; run `ledgerhold members check` once it is mended, or register it again.',
  );
}

/** Whether files go to a member as it is, at once or when it is tried again. */
export const isServed = ({ environmentBackupTarget, destination, state }: Member): boolean =>
  environmentBackupTarget && destination !== null && (state === 'active' || state === 'degraded');

/** Whether anything is delivered to a member now. One that is degraded waits until it is tried again. */
export const isDue = (member: Member, now: Date): boolean =>
  isServed(member) && (member.state === 'active' || Date.parse(member.retry?.at ?? '') <= now.getTime());

const WEEK_MS = 7 * 86_400_000;

/** Whether its destination is looked at now: it is new, somebody has asked, or files go there and the last look is a week old. */
export const isCheckDue = (member: Member, now: Date): boolean =>
  isCheckWanted(member) || (isDue(member, now) && now.getTime() - Date.parse(member.check?.at ?? '') >= WEEK_MS);
