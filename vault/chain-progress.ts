import { slotAt } from '../core/schedule.ts';
import type { Vault } from '../core/vault.ts';
import { NotADocument } from './documents.ts';
import { readAgreement } from './history.ts';
import { leasesPrefix, numberOf, recordsPrefix } from './layout.ts';
import { readLease } from './leases.ts';

/** What a chain's run is at, by what lies in the vault alone. Instants are ISO 8601, UTC. */
export interface ChainProgress {
  /** The slot that it is for. */
  readonly run: string;
  readonly since: string;
  readonly step: string;
  /** The newest file that it has finished; null: none yet. */
  readonly file: string | null;
}

/** A run takes 12 hours at most; slots that people name come behind all times, and count by when they were claimed. */
const LOOKED_BACK_MS = 2 * 86_400_000;

/** The run that holds a lease now; undefined: none does. A lease that cannot be read is no run that goes on. */
export async function chainProgress(vault: Vault, node: string, now: Date): Promise<ChainProgress | undefined> {
  const oldest = new Date(now.getTime() - LOOKED_BACK_MS);
  const claims = new Map<string, { key: string; since: Date }>();
  for await (const { key, modifiedAt } of vault.list(leasesPrefix(node), `${leasesPrefix(node)}${slotAt(oldest)}`)) {
    const [slot = ''] = key.slice(leasesPrefix(node).length).split('/');
    if (numberOf(key) === undefined || modifiedAt < oldest) continue;
    claims.set(slot, { key, since: claims.get(slot)?.since ?? modifiedAt });
  }
  for (const [slot, { key, since }] of [...claims].toReversed()) {
    const lease = await unlessDamaged(() => readLease(vault, key));
    if (lease?.value.state !== 'held' || Date.parse(lease.value.expiresAt) <= now.getTime()) continue;
    const agreed = await unlessDamaged(() => readAgreement(vault, lease.value));
    const step = agreed === undefined ? 'agreeing on the end' : 'exporting files, or sealing them';
    return { run: slot, since: since.toISOString(), step, file: (await newestFile(vault, node, slot)) ?? null };
  }
  return undefined;
}

/** Names of files do not sort by their blocks: the store's own times do. */
async function newestFile(vault: Vault, node: string, slot: string): Promise<string | undefined> {
  let newest: { name: string; at: Date } | undefined;
  for await (const { key, modifiedAt } of vault.list(recordsPrefix(node, `${slot}-block-`))) {
    const name = key.slice(recordsPrefix(node).length).replace(/\.json$/, '');
    if (newest === undefined || modifiedAt >= newest.at) newest = { name, at: modifiedAt };
  }
  return newest?.name;
}

async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof NotADocument) return undefined;
    throw error;
  }
}
