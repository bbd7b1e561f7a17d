import { type ChainAgreement, ChainRecord } from '../core/chain.ts';
import { StaleFence } from '../core/slot.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, readDocument } from './documents.ts';
import { readAgreement } from './history.ts';
import { recordsPrefix } from './layout.ts';
import type { Attempt } from './leases.ts';

/** What this attempt agreed on. */
export async function agreementOf(vault: Vault, attempt: Attempt): Promise<Document<ChainAgreement>> {
  const agreement = await readAgreement(vault, attempt);
  if (agreement !== undefined) return agreement;
  throw new StaleFence(
    `attempt ${attempt.fence} at slot ${attempt.slot} of ${attempt.node} has agreed on nothing`,
    'Let the run begin anew: its first states must come before this one.',
  );
}

/**
 * The records that this slot's attempts have left and that lead on from the agreement's base, in the order of their
 * blocks, none beyond the agreed end. The last one is where the slot's work goes on.
 */
export async function recordsOfSlot(vault: Vault, agreement: ChainAgreement): Promise<Document<ChainRecord>[]> {
  const { node, slot, base, evidence } = agreement;
  const left: Document<ChainRecord>[] = [];
  for await (const { key } of vault.list(recordsPrefix(node, `${slot}-block-`))) {
    const record = await readDocument(vault, key, ChainRecord);
    if (record !== undefined) left.push(record);
  }
  const inOrder: Document<ChainRecord>[] = [];
  for (let end = base; ; end = inOrder.at(-1)?.value.end ?? null) {
    const next = left.find(({ value }) => follows(value, end) && value.end.number <= evidence.end.number);
    if (next === undefined) return inOrder;
    inOrder.push(next);
  }
}

const follows = ({ start }: ChainRecord, end: ChainAgreement['base']): boolean =>
  start.number === (end?.number ?? -1) + 1 && (end === null || start.parentHash === end.hash);
