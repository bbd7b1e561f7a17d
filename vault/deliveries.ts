import pLimit from 'p-limit';
import {
  type Cursor,
  type Delivered,
  DeliveryReceipt,
  type DeliveryTotals,
  filesReach,
  furthestOf,
  isReached,
  NOTHING_DELIVERED,
  totalsWith,
} from '../core/delivery.ts';
import type { Member } from '../core/members.ts';
import { Instant, Seq } from '../core/names.ts';
import type { Clock, Signer } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, putSigned } from './documents.ts';
import { deliveryKey, FORMAT_KEY } from './layout.ts';
import {
  expectLink,
  missing,
  newestOf,
  RECEIPTS,
  readSigned,
  type SignedDocument,
  signedAt,
  signerKeys,
} from './member-documents.ts';
import { publishKey } from './trust.ts';

/** What a member's receipts show, of the destination that is registered now. */
export interface DeliveredState {
  /** The newest receipt of any destination; what is written next is chained to it. */
  readonly head: Pick<Document<DeliveryReceipt>, 'value' | 'sha256'> | undefined;
  /** By chain: everything up to there is with the member. */
  readonly cursors: Readonly<Record<string, Cursor>>;
  /**
   * By key, what is there of manifests that no cursor has got to, and of the format and the public keys; and what another
   * delivery has told of since.
   */
  readonly held: ReadonlyMap<string, Held>;
  readonly totals: DeliveryTotals;
}

/** With the number of the receipt that lists it. */
type Held = Pick<Delivered, 'kind' | 'manifest'> & { readonly receipt: number };

type SignedReceipt = SignedDocument<DeliveryReceipt>;

/** All of a member's receipts, newest first, each the one that the newer cites. Rejects with `NotADocument`. */
export async function* receiptsOf(vault: Vault, member: string): AsyncGenerator<SignedReceipt> {
  yield* receiptsFrom(vault, member, await newestOf(vault, RECEIPTS, member), 1);
}

/** The same from one on, `atOnce` of them read side by side. */
async function* receiptsFrom(
  vault: Vault,
  member: string,
  newest: number,
  atOnce: number,
): AsyncGenerator<SignedReceipt> {
  const signers = signerKeys(vault);
  let newer: SignedReceipt | undefined;
  for (let seq = newest; seq > 0; seq -= atOnce) {
    const seqs = Array.from({ length: Math.min(atOnce, seq) }, (_, n) => seq - n);
    for (const receipt of await Promise.all(seqs.map((each) => readSigned(vault, RECEIPTS, member, each, signers)))) {
      if (receipt === undefined) throw missing(deliveryKey(member, newer === undefined ? seq : newer.value.seq - 1));
      if (newer !== undefined) expectLink(receipt, newer);
      newer = receipt;
      if (receipt.value.seq === 1) expectLink(undefined, receipt);
      yield receipt;
    }
  }
}

/** A year has thousands of small ones. */
const READ_AHEAD = 16;

/** The receipts of the destination that is registered now, newest first, from one on. Rejects with `NotADocument`. */
export async function* receiptsUpTo(
  vault: Vault,
  { member, since }: Member,
  newest: number,
): AsyncGenerator<SignedReceipt> {
  for await (const receipt of receiptsFrom(vault, member, newest, READ_AHEAD)) {
    if (receipt.value.since < since) return;
    if (receipt.value.since === since) yield receipt;
  }
}

/** Reads the newest receipt, the one that it cites, and those that list what its cursors have not got to. */
export async function deliveredTo(vault: Vault, { member, since }: Member): Promise<DeliveredState> {
  const signers = signerKeys(vault);
  const read = (seq: number) => signedAt(vault, RECEIPTS, member, seq, signers);
  const newest = await newestOf(vault, RECEIPTS, member);
  if (newest === 0) return { head: undefined, held: new Map(), cursors: {}, totals: NOTHING_DELIVERED };
  const head = await read(newest);
  expectLink(newest === 1 ? undefined : await read(newest - 1), head);
  if (head.value.since !== since) return { head, held: new Map(), cursors: {}, totals: NOTHING_DELIVERED };
  const { cursors, totals, trust, begun } = head.value;
  const held = new Map<string, Held>(trust.map((key) => [key, { kind: 'document', receipt: newest }]));
  const limit = pLimit(READ_AHEAD);
  for (const { value } of [head, ...(await Promise.all(begun.map((seq) => limit(() => read(seq)))))]) {
    for (const [key, each] of heldBy(value)) if (!isReached({ key, ...each }, cursors)) held.set(key, each);
  }
  return { head, held, cursors, totals };
}

const heldBy = ({ seq, delivered }: DeliveryReceipt): [string, Held][] =>
  delivered.map(({ key, kind, manifest }) => [key, { kind, manifest, receipt: seq }]);

export interface ReceiptPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly signer: Signer;
}

/**
 * Writes down what a batch has put there, behind what is written by then: another delivery may be at it, too. An object
 * that one of its receipts lists is not listed again, however it was met: both have put the same, and count it once.
 * Resolves to the state with it. Once there are receipts of a destination that was registered since, nothing is written:
 * what went to the one before does not count any more, and would hide what counts. Rejects with `NotADocument`.
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
  let { head, held } = state;
  for (;;) {
    if (head !== undefined && head.value.since > member.since) return { ...state, head };
    const counts = head?.value.since === member.since ? head.value : undefined;
    const before = { cursors: counts?.cursors ?? {}, totals: counts?.totals ?? NOTHING_DELIVERED };
    const delivered = batch.delivered.filter(({ key }) => !held.has(key));
    const cursors = furthest(before.cursors, batch.cursors);
    if (delivered.length === 0 && isAsFar(cursors, before.cursors)) return { head, held, ...before };
    const begun = [...held].filter(([key, each]) => !isReached({ key, ...each }, cursors));
    const receipt = DeliveryReceipt.parse({
      ...{ format: 'ledgerhold/delivery/1', network: member.network, member: member.member },
      ...{ seq: Seq.parse((head?.value.seq ?? 0) + 1), previous: head?.sha256 ?? null },
      ...{ since: member.since, destination: batch.url, at: Instant.parse(clock.now().toISOString()) },
      ...{ delivered, cursors, totals: totalsWith(before.totals, delivered) },
      trust: [...new Set([...(counts?.trust ?? []), ...delivered.map(({ key }) => key).filter(isTrust)])],
      begun: [...new Set(begun.map(([, each]) => each.receipt))].toSorted((a, b) => a - b),
      signer: await publishKey(vault, signer),
    });
    const { seq, totals } = receipt;
    const { won, sha256 } = await putSigned(vault, signer, deliveryKey(member.member, seq), receipt);
    if (won) {
      const ahead = heldBy(receipt).filter(([key, each]) => !isReached({ key, ...each }, cursors));
      return { head: { value: receipt, sha256 }, cursors, totals, held: new Map([...held, ...ahead]) };
    }
    const other = await signedAt(vault, RECEIPTS, member.member, seq);
    expectLink(head, other);
    head = other;
    if (other.value.since === member.since) held = new Map([...held, ...heldBy(other.value)]);
  }
}

const isTrust = (key: string): boolean => key === FORMAT_KEY || key.startsWith('keys/');

type Cursors = DeliveredState['cursors'];

const isAsFar = (a: Cursors, b: Cursors): boolean =>
  Object.keys({ ...a, ...b }).every(
    (node) => a[node]?.seq === b[node]?.seq && filesReach(a[node])?.seq === filesReach(b[node])?.seq,
  );

/** Two deliveries at once may each have moved another chain's cursor. */
function furthest(a: Cursors, b: Cursors): Cursors {
  const moved = Object.entries(b).map(([node, cursor]) => [node, furthestOf(a[node], cursor)]);
  return { ...a, ...Object.fromEntries(moved) };
}
