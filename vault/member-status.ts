import pLimit from 'p-limit';
import type { ChainManifest } from '../core/chain.ts';
import { type DeliveryTotals, type Reach, reachOf, takesChain } from '../core/delivery.ts';
import type { Member } from '../core/members.ts';
import { grantsReads, type ReadBack } from '../core/read-back.ts';
import type { Vault } from '../core/vault.ts';
import { readHead, readLink } from './chain.ts';
import { isDamage } from './deliverables.ts';
import { deliveredTo, receiptsOf } from './deliveries.ts';
import type { Document } from './documents.ts';
import { HISTORY } from './history.ts';
import type { UnreadableMember } from './members.ts';
import { readBacksOf } from './read-backs.ts';
import { nodesIn } from './sets.ts';

/** How far a member is behind one chain's history. */
export interface ChainLag {
  readonly node: string;
  /** The last block that is with the member, and the last one of the history; null: none. */
  readonly block: number | null;
  readonly head: number | null;
  readonly blocks: number;
  /** Manifests that are not there yet. */
  readonly manifests: number;
  /** When the oldest of these was sealed; null: there is none. */
  readonly behindSince: string | null;
}

/** Where a member stands, from what lies in the vault alone. */
export interface MemberStatus {
  readonly member: Member;
  readonly totals: DeliveryTotals;
  readonly lastReceiptAt: string | null;
  readonly chains: readonly ChainLag[];
  /** 0 to 1, by blocks, over all its chains; null where the histories are empty. */
  readonly progress: number | null;
  /** Seconds that the rest takes at the rate of the newest receipts; null: it cannot be told, or nothing is left. */
  readonly estimateSeconds: number | null;
  /** The newest proof by reading; null: the member does not let us, or none was made yet. */
  readonly readBack: ReadBack | null;
}

/** So many receipts back the rate is measured: some thousands of objects. */
const RECEIPTS_FOR_A_RATE = 20;

/** The newest manifest of every chain: what all members are held against. */
export type ChainHeads = ReadonlyMap<string, Document<ChainManifest> | undefined>;

/** `onDamage`: of a chain that is left out. Without it, rejects with what is damaged. */
export async function chainHeads(vault: Vault, onDamage?: (node: string, error: unknown) => void): Promise<ChainHeads> {
  const heads = new Map<string, Document<ChainManifest> | undefined>();
  for (const node of await nodesIn(vault, 'chain')) {
    try {
      heads.set(node, await readHead(vault, HISTORY, node));
    } catch (error) {
      if (onDamage === undefined || !isDamage(error)) throw error;
      onDamage(node, error);
    }
  }
  return heads;
}

export async function memberStatus(vault: Vault, member: Member, heads?: ChainHeads): Promise<MemberStatus> {
  const standing = await memberStanding(vault, member, heads);
  const { there, wholly } = blocksOf(standing.chains);
  const rate = there < wholly ? await blocksPerSecond(vault, member) : undefined;
  return { ...standing, estimateSeconds: rate === undefined ? null : Math.ceil((wholly - there) / rate) };
}

export type MemberStanding = Omit<MemberStatus, 'estimateSeconds'>;

/** All but the estimate, for which more than the newest receipt is read. */
export async function memberStanding(vault: Vault, member: Member, heads?: ChainHeads): Promise<MemberStanding> {
  const { cursors, totals: all, head } = await deliveredTo(vault, member);
  const looks = grantsReads(member) || all.unproven > 0;
  const readBack = (looks ? (await readBacksOf(vault, member)).newest : undefined) ?? null;
  const totals = { ...all, unproven: all.unproven - (readBack?.proven ?? 0) };
  const wanted = [...(heads ?? (await chainHeads(vault)))].filter(([node]) => takesChain(member, node));
  const chains = await Promise.all(
    wanted.map(([node, newest]) => lagOf(vault, node, newest, reachOf(cursors[node], member))),
  );
  const { there, wholly } = blocksOf(chains);
  return {
    ...{ member, totals, chains, readBack, lastReceiptAt: head?.value.since === member.since ? head.value.at : null },
    progress: wholly === 0 ? null : Math.min(1, there / wholly),
  };
}

/** Of all chains together: how many are there, and how many there are. */
const blocksOf = (chains: readonly ChainLag[]) => ({
  there: chains.reduce((sum, { block }) => sum + (block ?? -1) + 1, 0),
  wholly: chains.reduce((sum, { head }) => sum + (head ?? -1) + 1, 0),
});

/** Some ten small reads each: `npm run bench -- list-members` times 10,000 of them. */
const LOOKS_AT_ONCE = 32;

/** Of many members, and which of them are damaged: these keep no other from being told of. */
interface Looked<S> {
  readonly statuses: readonly S[];
  readonly damaged: readonly UnreadableMember[];
}

type OnDamage = (node: string, error: unknown) => void;

/** Against heads that were read once. `onDamage`: as in `chainHeads`. */
export const memberStatuses = (
  vault: Vault,
  members: readonly Member[],
  onDamage?: OnDamage,
): Promise<Looked<MemberStatus>> => looksAt(memberStatus, vault, members, onDamage);

/** The same without the estimates. */
export const memberStandings = (
  vault: Vault,
  members: readonly Member[],
  onDamage?: OnDamage,
): Promise<Looked<MemberStanding>> => looksAt(memberStanding, vault, members, onDamage);

async function looksAt<S>(
  look: (vault: Vault, member: Member, heads: ChainHeads) => Promise<S>,
  vault: Vault,
  members: readonly Member[],
  onDamage?: OnDamage,
): Promise<Looked<S>> {
  const [heads, limit] = [members.length === 0 ? new Map() : await chainHeads(vault, onDamage), pLimit(LOOKS_AT_ONCE)];
  const damaged: UnreadableMember[] = [];
  const lookOrTell = (member: Member): Promise<S | undefined> =>
    look(vault, member, heads).catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      damaged.push({ id: member.member, fault: error });
      return undefined;
    });
  const found = await Promise.all(members.map((member) => limit(() => lookOrTell(member))));
  return { statuses: found.filter((status) => status !== undefined), damaged };
}

async function lagOf(
  vault: Vault,
  node: string,
  newest: Document<ChainManifest> | undefined,
  reach: Reach | undefined,
): Promise<ChainLag> {
  const head = newest?.value.head?.number ?? null;
  const block = reach?.block ?? null;
  // A vault that was put back to an older state has fewer than the member.
  const manifests = Math.max(0, (newest?.value.seq ?? 0) - (reach?.seq ?? 0));
  const next = manifests > 0 ? await readLink(vault, HISTORY, node, (reach?.seq ?? 0) + 1) : undefined;
  // A chain may be reorganised to a lower end than what was delivered of it.
  const blocks = Math.max(0, (head ?? -1) - (block ?? -1));
  return { node, block, head, blocks, manifests, behindSince: next?.value.sealedAt ?? null };
}

/** Undefined: there are not two receipts to tell it by, or nothing has moved between them. */
async function blocksPerSecond(vault: Vault, member: Member): Promise<number | undefined> {
  const points: { at: number; blocks: number }[] = [];
  for await (const { value } of receiptsOf(vault, member.member)) {
    if (value.since !== member.since || points.length === RECEIPTS_FOR_A_RATE) break;
    const blocks = Object.values(value.cursors).reduce(
      (sum, cursor) => sum + (reachOf(cursor, member)?.block ?? -1) + 1,
      0,
    );
    points.push({ at: Date.parse(value.at), blocks });
  }
  const [last, first] = [points[0], points.at(-1)];
  if (last === undefined || first === undefined || last.at <= first.at || last.blocks <= first.blocks) return undefined;
  return ((last.blocks - first.blocks) * 1000) / (last.at - first.at);
}
