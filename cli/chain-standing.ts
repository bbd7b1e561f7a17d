import type { ChainManifest } from '../core/chain.ts';
import { HistoryDamaged } from '../core/chain.ts';
import { ChainDamaged, type Lease } from '../core/manifest.ts';
import { type Finding, violation } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import type { Document } from '../vault/documents.ts';
import { canonicalRecords, type History, readHistory } from '../vault/history.ts';
import { chainPrefix } from '../vault/layout.ts';
import { newestLeases } from './standing.ts';

/** Where a chain stands, from what lies in the vault. */
export interface ChainStanding {
  readonly node: string;
  /** The newest manifest of its history. */
  readonly last: Document<ChainManifest> | undefined;
  readonly files: number;
  /** Of the files, as they lie. */
  readonly bytes: number;
  readonly orphaned: number;
  readonly running: readonly Lease[];
  /** The newest attempt, if it failed after the newest manifest. */
  readonly failed: Lease | undefined;
  /** What could not be read on the way. */
  readonly damaged: readonly Finding[];
}

export async function chainStandingOf(vault: Vault, node: string, now: Date): Promise<ChainStanding> {
  const damaged: Finding[] = [];
  const { entries, head } = await historyOr(vault, node, damaged);
  const files = canonicalRecords({ entries });
  const leases = await newestLeases(vault, node, damaged);
  const [newest] = leases;
  const sealedAt = head === undefined ? Number.NEGATIVE_INFINITY : Date.parse(head.value.sealedAt);
  return {
    ...{ node, last: head, files: files.length, orphaned: entries.length - files.length, damaged },
    bytes: files.reduce((sum, { file }) => sum + file.size, 0),
    running: leases.filter(({ state, expiresAt }) => state === 'held' && Date.parse(expiresAt) > now.getTime()),
    failed: newest?.state === 'failed' && Date.parse(newest.at) > sealedAt ? newest : undefined,
  };
}

async function historyOr(vault: Vault, node: string, damaged: Finding[]): Promise<History> {
  try {
    return await readHistory(vault, node);
  } catch (error) {
    if (!(error instanceof HistoryDamaged || error instanceof ChainDamaged)) throw error;
    damaged.push(violation('DOCUMENT_DAMAGED', chainPrefix(node), error.message));
    return { entries: [], head: undefined };
  }
}
