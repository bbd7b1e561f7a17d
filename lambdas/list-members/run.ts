import pLimit from 'p-limit';
import { memberAlarms } from '../../core/member-alarms.ts';
import { furthestBehind, type MeasuredMember, type MemberFigures } from '../../core/member-gauges.ts';
import { pagesOf } from '../../core/member-pages.ts';
import { isCheckDue, isDue, type Member, type MemberId } from '../../core/members.ts';
import type { Clock, Gauges, Journal } from '../../core/ports.ts';
import { grantsReads, isReadBackDue } from '../../core/read-back.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Vault } from '../../core/vault.ts';
import { isDamage } from '../../vault/deliverables.ts';
import { chainHeads, memberStanding } from '../../vault/member-status.ts';
import { readMembers } from '../../vault/members.ts';
import type { listMembers } from './contract.ts';

export interface ListMembersPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly gauges: Gauges;
  readonly network: string;
  /** Members at work in an execution now. */
  readonly atWork: () => Promise<ReadonlySet<string>>;
}

/** Some ten small reads a member, one after the other: `npm run bench -- list-members` times 10,000 of them. */
const LOOKS_AT_ONCE = 32;

export async function run(
  _: InputOf<typeof listMembers>,
  ports: ListMembersPorts,
): Promise<OutputOf<typeof listMembers>> {
  const { vault, clock, journal, atWork } = ports;
  const { members, unreadable } = await readMembers(vault);
  for (const { id, fault } of unreadable) journal.failure('unreadable', { member: id }, fault);
  const damagedChain = (node: string, error: unknown) => journal.failure('unreadable', { node }, error);
  const [heads, busy, now] = [await chainHeads(vault, damagedChain), await atWork(), clock.now()];
  const counts = { MEMBER_SUSPENDED: unreadable.length, MEMBER_LAGS: 0, BACKFILL_STALLED: 0 };
  const lacking: MemberId[] = [];
  const measured: MeasuredMember[] = [];
  const limit = pLimit(LOOKS_AT_ONCE);
  const look = async (member: Member): Promise<void> => {
    const { chains, lastReceiptAt, readBack, totals, progress } = await memberStanding(vault, member, heads);
    const { member: id, environmentBackupTarget } = member;
    measured.push({ member: id, environmentBackupTarget, chains, totals, progress });
    const behindSince = chains.map((chain) => chain.behindSince);
    const alarms = memberAlarms({ ...member, lastReceiptAt, behindSince }, now);
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      if (alarms[name] === undefined) continue;
      counts[name] += 1;
      journal.note('member', { member: id, alarm: name, why: member.fault?.name ?? '' });
    }
    const toProve = grantsReads(member) && isReadBackDue(readBack ?? undefined, now);
    // One that has failed is tried again also where it lacks nothing: else it would be degraded until the next seal.
    const failed = member.state === 'degraded';
    const lacks = (failed || chains.some(({ manifests }) => manifests > 0) || toProve) && isDue(member, now);
    if ((lacks || isCheckDue(member, now)) && !busy.has(id)) lacking.push(id);
  };
  // One whose receipts cannot be read is counted with those that somebody has to look at, and keeps nobody waiting.
  const unlessDamaged = (member: Member) =>
    look(member).catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      counts.MEMBER_SUSPENDED += 1;
      journal.failure('unreadable', { member: member.member }, error);
    });
  await Promise.all(members.map(({ value }) => limit(() => unlessDamaged(value))));
  tell(ports, counts);
  for (const figures of furthestBehind(measured, now)) tellOf(ports, figures);
  return { ...pagesOf(lacking), members: members.length };
}

function tell({ gauges, network }: ListMembersPorts, counts: Readonly<Record<string, number>>): void {
  gauges.set('MembersSuspended', counts['MEMBER_SUSPENDED'] ?? 0, { network });
  gauges.set('MembersLagging', counts['MEMBER_LAGS'] ?? 0, { network });
  gauges.set('BackfillsStalled', counts['BACKFILL_STALLED'] ?? 0, { network });
}

function tellOf({ gauges, network }: ListMembersPorts, { member, ...figures }: MemberFigures): void {
  const of = { network, member };
  gauges.set('MemberLag', figures.lagSeconds, of);
  gauges.set('MemberLagBlocks', figures.lagBlocks, of);
  gauges.set('MemberFiles', figures.files, of);
  gauges.set('MemberBytes', figures.bytes, of);
  gauges.set('MemberProgress', figures.percent, of);
}
