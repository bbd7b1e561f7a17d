import pLimit from 'p-limit';
import type { DeliveryReceipt, DeliveryTotals } from '../core/delivery.ts';
import { proveReadBack, proveReceipt, type Shared, type Standing, type Unit } from '../core/delivery-proof.ts';
import { type Brief, briefly, type Finding, statusOf, violation } from '../core/proof.ts';
import type { ReadBack } from '../core/read-back.ts';
import type { Vault } from '../core/vault.ts';
import type { Document } from './documents.ts';
import { deliveryKey, proofKey } from './layout.ts';
import { newestOf, PROOFS, RECEIPTS } from './member-documents.ts';
import { type LinkContext, linksOf } from './member-links.ts';
import { nodesIn } from './sets.ts';
import { sharedObjects } from './shared-objects.ts';

/** What was proved of one member's receipts and proofs. */
export interface MemberReport {
  readonly member: string;
  readonly status: 'proven' | 'violated' | 'unknown';
  /** Receipts and proofs of every registration, by their newest numbers. */
  readonly receipts: number;
  readonly proofs: number;
  /** As the newest receipt says; null: there is none that can be read. */
  readonly totals: DeliveryTotals | null;
  /** The newest receipt, for whoever knows it from elsewhere: one that was removed from the end leaves no trace. */
  readonly head: { readonly seq: number; readonly sha256: string } | null;
  readonly findings: readonly Finding[];
}

/** How far a member's receipts and proofs reach. */
export type Reach = Pick<MemberReport, 'member' | 'receipts' | 'proofs'>;

/** Each asks for a few listings. */
const MEMBERS_AT_ONCE = 16;

/**
 * Of every member that has any. To be asked before anything else of the vault is read: what these tell of was sealed, and
 * what proofs tell of was written, by then.
 */
export async function reachOfMembers(vault: Vault): Promise<Reach[]> {
  const limit = pLimit(MEMBERS_AT_ONCE);
  const names = new Set([...(await nodesIn(vault, 'deliveries')), ...(await nodesIn(vault, 'proofs'))]);
  const reach = [...names].toSorted().map((member) =>
    limit(async () => {
      const proofs = await newestOf(vault, PROOFS, member);
      return { member, proofs, receipts: await newestOf(vault, RECEIPTS, member) };
    }),
  );
  return (await Promise.all(reach)).filter(({ receipts, proofs }) => receipts + proofs > 0);
}

/**
 * Re-proves the receipts and proofs of members, one after the other: numbered without a gap from 1, each signed by a trusted
 * key and citing the one before it, and adding up to what it says, of what `units` bring. Resolves with the signers.
 */
export async function proveMembers(
  context: LinkContext,
  reach: readonly Reach[],
  units: readonly Unit[],
): Promise<{ readonly members: readonly MemberReport[]; readonly signers: ReadonlySet<string> }> {
  const members: MemberReport[] = [];
  const signers = new Set<string>();
  if (reach.length === 0) return { members, signers };
  const shared = await sharedObjects(context.vault, units);
  for (const each of reach) members.push(await proveDeliveries({ ...context, shared, signers }, each));
  return { members, signers };
}

interface DeliveryContext extends LinkContext {
  readonly shared: Shared;
  readonly signers: Set<string>;
}

async function proveDeliveries(context: DeliveryContext, reach: Reach): Promise<MemberReport> {
  const found = briefly();
  const newest = await proveReceipts(context, reach, found);
  await proveProofs(context, reach, newest, found);
  const findings = found.all();
  const head = newest === undefined ? null : { seq: newest.value.seq, sha256: newest.sha256 };
  return { ...reach, status: statusOf(findings), totals: newest?.value.totals ?? null, head, findings };
}

/** Resolves to the newest, if it can be read. */
async function proveReceipts(
  context: DeliveryContext,
  { member, receipts }: Reach,
  found: Brief,
): Promise<Document<DeliveryReceipt> | undefined> {
  let newest: Document<DeliveryReceipt> | undefined;
  let standing: Standing = { before: undefined, known: true, there: new Set(), whole: true };
  for await (const { document, before, findings } of linksOf(context, RECEIPTS, member, receipts)) {
    found.add(findings);
    newest = document;
    if (document === undefined) {
      standing = { ...standing, before: undefined, known: false, whole: false };
      continue;
    }
    const { key, value } = document;
    context.signers.add(value.signer);
    const since = before?.value.since ?? value.since;
    if (value.since < since) {
      const text = `${key} is of registration ${value.since}, and the one before it of ${since}`;
      found.add([violation('LINK_BROKEN', key, text)]);
    }
    if (value.since !== since) standing = { before: undefined, known: true, there: new Set(), whole: true };
    found.add(proveReceipt(key, value, standing, context.shared));
    standing = { ...standing, before: value, known: true };
  }
  return newest;
}

async function proveProofs(
  context: DeliveryContext,
  { member, receipts, proofs }: Reach,
  newest: Document<DeliveryReceipt> | undefined,
  found: Brief,
): Promise<void> {
  let [most, last]: [number, ReadBack | undefined] = [0, undefined];
  let known = true;
  for await (const { document, before, findings } of linksOf(context, PROOFS, member, proofs)) {
    found.add(findings);
    last = document?.value;
    if (document !== undefined) {
      const { key, value } = document;
      context.signers.add(value.signer);
      most = Math.max(most, value.receipts);
      if (known) found.add(proveReadBack(key, value, before?.value.since === value.since ? before.value : undefined));
    }
    known = document !== undefined;
  }
  const unproven = newest?.value.since === last?.since ? newest?.value.totals.unproven : undefined;
  if (last !== undefined && unproven !== undefined && last.proven > unproven) {
    const text = `${proofKey(member, last.seq)} says that ${last.proven} objects were unproven, and the receipts ${unproven}`;
    found.add([violation('READ_BACK_WRONG', proofKey(member, last.seq), text)]);
  }
  if (most <= receipts) return;
  const about = deliveryKey(member, most);
  const text = `a proof tells of ${about}, and the newest receipt is ${receipts}: removed, or not copied yet`;
  found.add([{ level: 'unknown', code: 'RECEIPTS_MISSING', about, text }]);
}
