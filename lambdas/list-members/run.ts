import { memberAlarms } from '../../core/member-alarms.ts';
import { furthestBehind, type MeasuredMember, type MemberFigures } from '../../core/member-gauges.ts';
import { pagesOf } from '../../core/member-pages.ts';
import { isCheckDue, isDue, type Member, type MemberId } from '../../core/members.ts';
import type { Clock, Gauges, Journal } from '../../core/ports.ts';
import { grantsReads, isReadBackDue } from '../../core/read-back.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Vault } from '../../core/vault.ts';
import { isDamage } from '../../vault/deliverables.ts';
import { type MemberStanding, memberStandings } from '../../vault/member-status.ts';
import { readMember, readMembers } from '../../vault/members.ts';
import type { listMembers } from './contract.ts';

export interface ListMembersPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly gauges: Gauges;
  readonly network: string;
  /** Whether the deployed delivery goes to this member. One to whom a machine goes is counted, and never listed. */
  readonly serves: (member: Member) => boolean;
  /** Members at work in an execution now. */
  readonly atWork: () => Promise<ReadonlySet<string>>;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/**
 * The last turn of an execution looks at the registry a moment before the execution ends, and an end is listed some
 * seconds later. Who is at work still after so long looks again after this.
 */
const ENDING_MS = 10_000;

export async function run(
  _: InputOf<typeof listMembers>,
  ports: ListMembersPorts,
): Promise<OutputOf<typeof listMembers>> {
  const { vault, clock, journal, serves, atWork } = ports;
  const { members, unreadable } = await readMembers(vault);
  const { statuses, damaged } = await memberStandings(
    vault,
    members.map(({ value }) => value),
    (node, error) => journal.failure('unreadable', { node }, error),
  );
  // One whose receipts cannot be read is counted with those that somebody has to look at, and keeps nobody waiting.
  const unknown = [...unreadable, ...damaged];
  for (const { id, fault } of unknown) journal.failure('unreadable', { member: id }, fault);
  const [busy, now] = [await atWork(), clock.now()];
  const counts = { MEMBER_SUSPENDED: unknown.length, MEMBER_LAGS: 0, BACKFILL_STALLED: 0 };
  const measured: MeasuredMember[] = [];
  for (const { member, chains, lastReceiptAt, totals, progress } of statuses) {
    const { member: id, environmentBackupTarget } = member;
    measured.push({ member: id, environmentBackupTarget, chains, totals, progress });
    const behindSince = chains.map((chain) => chain.behindSince);
    const alarms = memberAlarms({ ...member, lastReceiptAt, behindSince }, now);
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      if (alarms[name] === undefined) continue;
      counts[name] += 1;
      journal.note('member', { member: id, alarm: name, why: member.fault?.name ?? '' });
    }
  }
  tell(ports, counts);
  for (const figures of furthestBehind(measured, now)) tellOf(ports, figures);
  const served = statuses.filter(({ member }) => serves(member));
  const wanting = served.filter((status) => isLacking(status, now)).map(({ member }) => member.member);
  const ended = await endedOf(
    wanting.filter((id) => busy.has(id)),
    ports,
  );
  const lacking = [...wanting.filter((id) => !busy.has(id)), ...(await lackingStill(ended, ports, now))];
  return { ...pagesOf(lacking), members: members.length };
}

function isLacking({ member, chains, readBack }: MemberStanding, now: Date): boolean {
  const toProve = grantsReads(member) && isReadBackDue(readBack ?? undefined, now);
  // One that has failed is tried again also where it lacks nothing: else it would be degraded until the next seal.
  const lacks = member.state === 'degraded' || chains.some(({ manifests }) => manifests > 0) || toProve;
  return (lacks && isDue(member, now)) || isCheckDue(member, now);
}

/** Those of them whose execution was about to end: what is lacking now may have come about behind its back. */
async function endedOf(members: readonly MemberId[], { atWork, wait }: ListMembersPorts): Promise<MemberId[]> {
  if (members.length === 0) return [];
  await wait(ENDING_MS);
  const still = await atWork();
  return members.filter((member) => !still.has(member));
}

/** By what the registry and the receipts say now. What is damaged since is counted with the next look. */
async function lackingStill(
  ids: readonly MemberId[],
  { vault, serves }: ListMembersPorts,
  now: Date,
): Promise<MemberId[]> {
  const read = (id: MemberId) =>
    readMember(vault, id).catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      return undefined;
    });
  const members = (await Promise.all(ids.map(read))).flatMap((found) => found?.value ?? []).filter(serves);
  const { statuses } = await memberStandings(vault, members, () => {});
  return statuses.filter((status) => isLacking(status, now)).map(({ member }) => member.member);
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
