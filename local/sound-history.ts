import { type ChainManifest, type ChainRecord, HistoryDamaged } from '../core/chain.ts';
import { setId } from '../core/names.ts';
import type { Finding } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import type { Document } from '../vault/documents.ts';
import { readVaultFormat } from '../vault/format.ts';
import { canonicalRecords, readHistory } from '../vault/history.ts';
import { proveHistory } from '../vault/prove-history.ts';
import { NoSuchSet } from '../vault/sets.ts';
import { trustFrom } from '../vault/trust.ts';
import { SetNotProven } from './restore-errors.ts';

/** A chain's history that nothing speaks against, up to its newest manifest. Its files' bytes are not read. */
export interface SoundHistory {
  readonly head: Document<ChainManifest>;
  /** Of the chain, in order, from genesis on; at least one. */
  readonly records: readonly ChainRecord[];
  /** Why it is not proved here; empty if it is. */
  readonly doubts: readonly string[];
}

export interface HistoryProof {
  readonly vault: Vault;
  /** PEM, from outside the vault. */
  readonly publicKeys: readonly string[];
  readonly signal?: AbortSignal;
}

/** Rejects with `HistoryDamaged` if anything speaks against it, with `NoSuchSet` if there is none. */
export async function soundHistory(node: string, { vault, publicKeys, signal }: HistoryProof): Promise<SoundHistory> {
  const [format, trust] = [await readVaultFormat(vault), await trustFrom(vault, publicKeys)];
  const { report } = await proveHistory(node, {
    ...{ vault, network: format?.network, trust, depth: 'structure' },
    ...(signal && { signal }),
  });
  const said = (level: Finding['level']) =>
    report.findings.filter((finding) => finding.level === level).map(({ text }) => text);
  const [violations, doubts] = [said('violation'), said('unknown')];
  if (violations.length > 0) {
    const remedy = 'Put back what was changed, from another copy of the vault; `ledgerhold verify --all` says what.';
    throw new HistoryDamaged(`the history of ${node} must not be restored: ${violations.join('; ')}`, remedy);
  }
  const history = await readHistory(vault, node);
  const records = canonicalRecords(history);
  if (history.head === undefined || records.length === 0) throw new NoSuchSet(`of the chain ${node}`, []);
  return { head: history.head, records, doubts };
}

/** Throws `SetNotProven` for one in doubt. */
export function refuseDoubt({ head, doubts }: SoundHistory): void {
  if (doubts.length > 0) throw new SetNotProven(setId(head.value.node, head.value.seq), doubts);
}
