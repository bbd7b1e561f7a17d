import * as z from 'zod';
import { stillEmptied } from './check-reports.ts';
import { LedgerholdError } from './errors.ts';
import { Instant, NetworkName, Sha256 } from './names.ts';

/** An organisation with a bucket of its own. Lower-case letters, digits and hyphens, at most 40. */
export const MemberId = z
  .string()
  .max(40)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/)
  .brand('MemberId');
export type MemberId = z.infer<typeof MemberId>;

export const BucketDestination = z.strictObject({
  kind: z.literal('bucket'),
  bucket: z.string().min(3).max(63),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  /** The 12 digits of the account that owns the bucket, sent with every call. */
  account: z.string().regex(/^\d{12}$/),
  /** ARN of the member's own key that its bucket encrypts with; without one SSE-S3. */
  kmsKey: z.string().optional(),
  /** Of an S3 server other than AWS. Operators alone can give one. */
  endpoint: z.string().optional(),
});
export type BucketDestination = z.infer<typeof BucketDestination>;

/** Where a member's files go. */
export const MemberDestination = z.discriminatedUnion('kind', [
  BucketDestination,
  z.strictObject({ kind: z.literal('folder'), path: z.string().startsWith('/') }),
]);
export type MemberDestination = z.infer<typeof MemberDestination>;

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
  /** Of this destination; null before the first check. */
  check: CheckReport.nullable(),
  /** Since when a check is wanted that the next delivery makes; absent: none is, beside that of a new destination. */
  checkAsked: Instant.optional(),
  /** Present once a check of this destination has found nothing: what that check has left there is there from then on. */
  wasSound: z.literal(true).optional(),
  /** What `degraded` and `suspended` are about. */
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

/** What can be done to a member. */
export type MemberAct =
  | { readonly what: 'invite' }
  | { readonly what: 'register'; readonly destination: MemberDestination }
  | { readonly what: 'ask' }
  | ({ readonly what: 'check'; readonly report: CheckReport } & OfRegistration)
  | { readonly what: 'set'; readonly environmentBackupTarget?: boolean; readonly chains?: readonly string[] | null }
  | ({ readonly what: 'degrade'; readonly fault: MemberFault } & OfRegistration)
  | ({ readonly what: 'recover' } & OfRegistration)
  | ({ readonly what: 'suspend'; readonly fault: MemberFault } & OfRegistration)
  | { readonly what: 'resume' }
  | { readonly what: 'leave' };

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
  Partial<Pick<Member, 'checkAsked' | 'wasSound'>>;

const NOBODY: Standing = {
  ...{ state: 'invited', destination: null, since: 0, environmentBackupTarget: false, targetSince: null },
  ...{ chains: null, check: null, fault: null, retry: null },
};

/** After one failure a minute, doubled with each up to an hour: the hourly delivery tries again whatever was written. */
export const retryAfterSeconds = (failures: number): number => Math.min(60 * 2 ** (failures - 1), 3600);

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
  if (was.state === 'left' && act.what !== 'invite' && act.what !== 'register') throw refusedActOn(before, act);
  if ('since' in act && act.since !== undefined && act.since !== was.since) {
    throw refusedActOn(before, act, 'another destination was registered meanwhile');
  }
  const settled = (standing: Standing): Standing => ({ ...standing, state: atPeace(standing) });
  switch (act.what) {
    case 'invite':
      return was.state === 'left' ? NOBODY : was;
    case 'register':
      return { ...NOBODY, chains: was.chains, destination: act.destination, since: n };
    case 'ask':
      if (was.destination === null) throw refusedActOn(before, act);
      return isCheckWanted(was) ? was : { ...was, checkAsked: Instant.parse(now.toISOString()) };
    case 'check': {
      if (was.destination === null) throw refusedActOn(before, act);
      const { checkAsked: _, ...rest } = was;
      const report = stillEmptied(was.check, act.report);
      const wasSound = was.wasSound === true || report.faults.length === 0;
      const checked = { ...rest, check: report, ...(wasSound && { wasSound }) };
      const [fault] = report.faults;
      if (was.state === 'suspended') return checked;
      if (fault === undefined) return was.state === 'degraded' ? checked : settled(checked);
      return was.state === 'invited' ? checked : { ...checked, state: 'suspended', fault, retry: null };
    }
    case 'set': {
      const { environmentBackupTarget = was.environmentBackupTarget, chains = was.chains } = act;
      const since = was.environmentBackupTarget ? was.targetSince : Instant.parse(now.toISOString());
      const targetSince = environmentBackupTarget ? since : null;
      const set = { ...was, environmentBackupTarget, targetSince, chains: chains === null ? null : [...chains] };
      return was.state === 'suspended' || was.state === 'degraded' ? set : settled(set);
    }
    case 'degrade': {
      if (was.state !== 'active' && was.state !== 'degraded') throw refusedActOn(before, act);
      const failures = (was.retry?.failures ?? 0) + 1;
      const at = Instant.parse(new Date(now.getTime() + retryAfterSeconds(failures) * 1000).toISOString());
      return { ...was, state: 'degraded', fault: act.fault, retry: { failures, at } };
    }
    case 'recover':
      return was.state === 'degraded' ? settled({ ...was, fault: null, retry: null }) : was;
    case 'suspend': {
      const byHand = (fault: MemberFault | null) => fault?.name === SUSPENDED_BY_HAND;
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
    case 'leave':
      return { ...was, state: 'left', environmentBackupTarget: false, targetSince: null, fault: null, retry: null };
  }
}

function standingOf(member: Member): Standing {
  const { state, destination, since, environmentBackupTarget, targetSince, chains, check, fault, retry } = member;
  const standing = { state, destination, since, environmentBackupTarget, targetSince, chains, check, fault, retry };
  const { checkAsked, wasSound } = member;
  return { ...standing, ...(checkAsked !== undefined && { checkAsked }), ...(wasSound && { wasSound }) };
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

/** Whether anything is delivered to a member now. One that is degraded waits until it is tried again. */
export function isDue(member: Member, now: Date): boolean {
  if (!member.environmentBackupTarget || member.destination === null) return false;
  if (member.state === 'active') return true;
  return member.state === 'degraded' && Date.parse(member.retry?.at ?? '') <= now.getTime();
}

const WEEK_MS = 7 * 86_400_000;

/** Whether its destination is looked at now: it is new, somebody has asked, or files go there and the last look is a week old. */
export const isCheckDue = (member: Member, now: Date): boolean =>
  isCheckWanted(member) || (isDue(member, now) && now.getTime() - Date.parse(member.check?.at ?? '') >= WEEK_MS);
