import pLimit from 'p-limit';
import { memberAlarms } from '../../core/member-alarms.ts';
import { pagesOf } from '../../core/member-pages.ts';
import { isCheckDue, isDue, type Member, type MemberId } from '../../core/members.ts';
import type { Clock, Gauges, Journal } from '../../core/ports.ts';
import { grantsReads, isReadBackDue } from '../../core/read-back.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Vault } from '../../core/vault.ts';
import { isDamage } from '../../vault/deliverables.ts';
import { chainHeads, type MemberStatus, memberStatus } from '../../vault/member-status.ts';
import { readMember, readMembers } from '../../vault/members.ts';
import type { listMembers } from './contract.ts';

export interface ListMembersPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly gauges: Gauges;
  readonly network: string;
  /** Members at work in an execution now. */
  readonly atWork: () => Promise<ReadonlySet<string>>;
  readonly wait: (milliseconds: number) => Promise<void>;
}

/**
 * The last turn of an execution looks at the registry a moment before the execution ends, and an end is listed some
 * seconds later. Who is at work still after so long looks again after this.
 */
const ENDING_MS = 10_000;

/** Some six small reads a member: 10,000 of them take a minute or two. */
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
  const meanwhile: MemberId[] = [];
  const limit = pLimit(LOOKS_AT_ONCE);
  const look = async (member: Member): Promise<void> => {
    const status = await memberStatus(vault, member, heads);
    const behindSince = status.chains.map((chain) => chain.behindSince);
    const alarms = memberAlarms({ ...member, lastReceiptAt: status.lastReceiptAt, behindSince }, now);
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      if (alarms[name] === undefined) continue;
      counts[name] += 1;
      journal.note('member', { member: member.member, alarm: name, why: member.fault?.name ?? '' });
    }
    if (isLacking(status, now)) (busy.has(member.member) ? meanwhile : lacking).push(member.member);
  };
  const lookAgain = async (id: MemberId): Promise<void> => {
    const member = (await readMember(vault, id))?.value;
    if (member !== undefined && isLacking(await memberStatus(vault, member, heads), now)) lacking.push(id);
  };
  // One whose receipts cannot be read is counted with those that somebody has to look at, and keeps nobody waiting.
  const unlessDamaged = (member: MemberId, look: () => Promise<void>) =>
    limit(look).catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      counts.MEMBER_SUSPENDED += 1;
      journal.failure('unreadable', { member }, error);
    });
  await Promise.all(members.map(({ value }) => unlessDamaged(value.member, () => look(value))));
  const ended = await endedOf(meanwhile, ports);
  await Promise.all(ended.map((member) => unlessDamaged(member, () => lookAgain(member))));
  tell(ports, counts);
  return { ...pagesOf(lacking), members: members.length };
}

function isLacking({ member, chains, readBack }: MemberStatus, now: Date): boolean {
  const toProve = grantsReads(member) && isReadBackDue(readBack ?? undefined, now);
  const lacks = chains.some(({ manifests }) => manifests > 0) || toProve;
  return (lacks && isDue(member, now)) || isCheckDue(member, now);
}

/** Those of them whose execution was about to end: what is lacking now may have come about behind its back. */
async function endedOf(members: readonly MemberId[], { atWork, wait }: ListMembersPorts): Promise<MemberId[]> {
  if (members.length === 0) return [];
  await wait(ENDING_MS);
  const still = await atWork();
  return members.filter((member) => !still.has(member));
}

function tell({ gauges, network }: ListMembersPorts, counts: Readonly<Record<string, number>>): void {
  gauges.set('MembersSuspended', counts['MEMBER_SUSPENDED'] ?? 0, { network });
  gauges.set('MembersLagging', counts['MEMBER_LAGS'] ?? 0, { network });
  gauges.set('BackfillsStalled', counts['BACKFILL_STALLED'] ?? 0, { network });
}
