import {
  type Cursor,
  type Delivered,
  DeliveryReceipt,
  type DeliveryTotals,
  NOTHING_DELIVERED,
  totalsWith,
} from '../core/delivery.ts';
import type { Member } from '../core/members.ts';
import { Instant, Seq } from '../core/names.ts';
import type { Clock, Signer } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, NotADocument, putSigned, readDocument } from './documents.ts';
import { deliveriesPrefix, deliveryKey, FORMAT_KEY, signatureKey } from './layout.ts';
import { newestNumber } from './numbered.ts';
import { publishKey } from './trust.ts';

/** What a member's receipts show, of the destination that is registered now. */
export interface DeliveredState {
  /** The newest receipt of any destination; what is written next is chained to it. */
  readonly head: Pick<Document<DeliveryReceipt>, 'value' | 'sha256'> | undefined;
  /** By chain: everything up to there is with the member. */
  readonly cursors: Readonly<Record<string, Cursor>>;
  /** Keys that are there of what comes right behind the cursors, and of the format and the public keys. */
  readonly held: ReadonlySet<string>;
  readonly totals: DeliveryTotals;
}

const numbered = (member: string) => ({
  prefix: deliveriesPrefix(member),
  keyOf: (n: number) => deliveryKey(member, n),
});

/** A receipt whose bytes are those that were signed. Undefined: there is none. Rejects with `NotADocument`. */
export async function readReceipt(
  vault: Vault,
  member: string,
  seq: number,
): Promise<Document<DeliveryReceipt> | undefined> {
  const key = deliveryKey(member, seq);
  const receipt = await readDocument(vault, key, DeliveryReceipt);
  if (receipt === undefined) return undefined;
  const signed = (await vault.stat(signatureKey(key, receipt.sha256))) !== undefined;
  if (signed && receipt.value.member === member && receipt.value.seq === seq) return receipt;
  throw new NotADocument(`${key} is not as it was signed`, 'Compare the object with another copy of the vault.');
}

/** All of a member's receipts, newest first. */
export async function* receiptsOf(vault: Vault, member: string): AsyncGenerator<Document<DeliveryReceipt>> {
  for (let seq = await newestNumber(vault, numbered(member)); seq > 0; seq--) {
    const receipt = await readReceipt(vault, member, seq);
    if (receipt !== undefined) yield receipt;
  }
}

/** Number of a member's newest receipt of any destination; 0: there is none. */
export const newestReceipt = (vault: Vault, member: string): Promise<number> => newestNumber(vault, numbered(member));

/** A year has thousands of small ones. */
const READ_AHEAD = 16;

/** The receipts of the destination that is registered now, newest first, from one on. */
export async function* receiptsUpTo(
  vault: Vault,
  { member, since }: Member,
  newest: number,
): AsyncGenerator<Document<DeliveryReceipt>> {
  for (let seq = newest; seq > 0; seq -= READ_AHEAD) {
    const some = Array.from({ length: Math.min(READ_AHEAD, seq) }, (_, n) => readReceipt(vault, member, seq - n));
    for (const receipt of await Promise.all(some)) {
      if (receipt !== undefined && receipt.value.since < since) return;
      if (receipt?.value.since === since) yield receipt;
    }
  }
}

/**
 * Reads the newest receipt, and those before it that left the cursors where they are: a few, since each batch that
 * completes a manifest moves one.
 */
export async function deliveredTo(vault: Vault, { member, since }: Member): Promise<DeliveredState> {
  const held = new Set<string>();
  let head: DeliveredState['head'];
  for await (const receipt of receiptsOf(vault, member)) {
    head ??= receipt;
    const { value } = receipt;
    const still = value.since === since && sameCursors(value.cursors, head.value.cursors);
    if (!still) break;
    for (const { key } of value.delivered) held.add(key);
  }
  const counts = head?.value.since === since ? head.value : undefined;
  for (const key of counts?.trust ?? []) held.add(key);
  return { head, held, cursors: counts?.cursors ?? {}, totals: counts?.totals ?? NOTHING_DELIVERED };
}

const sameCursors = (a: DeliveredState['cursors'], b: DeliveredState['cursors']): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([node, { seq }]) => b[node]?.seq === seq);

export interface ReceiptPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly signer: Signer;
}

/**
 * Writes down what a batch has put there, behind what is written by then: another delivery may be at it, too. Resolves
 * to the state with it. Once there are receipts of a destination that was registered since, nothing is written: what
 * went to the one before does not count any more, and would hide what counts.
 */
export async function appendReceipt(
  { vault, clock, signer }: ReceiptPorts,
  member: Member,
  state: DeliveredState,
  batch: {
    readonly url: string;
    readonly delivered: readonly Delivered[];
    readonly cursors: DeliveredState['cursors'];
  },
): Promise<DeliveredState> {
  let { head } = state;
  for (;;) {
    if (head !== undefined && head.value.since > member.since) return { ...state, head };
    const counts = head?.value.since === member.since ? head?.value : undefined;
    const receipt = DeliveryReceipt.parse({
      ...{ format: 'ledgerhold/delivery/1', network: member.network, member: member.member },
      ...{ seq: Seq.parse((head?.value.seq ?? 0) + 1), previous: head?.sha256 ?? null },
      ...{ since: member.since, destination: batch.url, at: Instant.parse(clock.now().toISOString()) },
      delivered: batch.delivered,
      cursors: furthest(counts?.cursors ?? {}, batch.cursors),
      trust: [...new Set([...(counts?.trust ?? []), ...batch.delivered.map(({ key }) => key).filter(isTrust)])],
      totals: totalsWith(counts?.totals ?? NOTHING_DELIVERED, batch.delivered),
      signer: await publishKey(vault, signer),
    });
    const { seq, cursors, totals } = receipt;
    const { won, sha256 } = await putSigned(vault, signer, deliveryKey(member.member, seq), receipt);
    if (won) return { head: { value: receipt, sha256 }, cursors, totals, held: state.held };
    head = await readReceipt(vault, member.member, seq);
  }
}

const isTrust = (key: string): boolean => key === FORMAT_KEY || key.startsWith('keys/');

/** Two deliveries at once may each have moved another chain's cursor. */
function furthest(a: DeliveredState['cursors'], b: DeliveredState['cursors']): DeliveredState['cursors'] {
  const further = Object.entries(b).filter(([node, { seq }]) => seq > (a[node]?.seq ?? 0));
  return { ...a, ...Object.fromEntries(further) };
}
