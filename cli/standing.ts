import { DrillRecord } from '../core/drill.ts';
import type { Lease } from '../core/manifest.ts';
import type { Finding } from '../core/proof.ts';
import { EndReceipt } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';
import { holderGone } from '../local/holder.ts';
import { manifestOfSlot, SETS } from '../vault/chain.ts';
import { readDocument } from '../vault/documents.ts';
import { HISTORY } from '../vault/history.ts';
import { drillsPrefix, leasesPrefix, manifestKey, numberOf, tombstoneKey } from '../vault/layout.ts';
import { readLease } from '../vault/leases.ts';
import { orFinding } from '../vault/prove-chain.ts';
import { manifestSeqs, readManifest, readTombstone, type StoredManifest } from '../vault/sets.ts';

/** Where a node stands, from what lies in the vault. */
export interface Standing {
  readonly node: string;
  /** The newest set that can be read. */
  readonly last: StoredManifest | undefined;
  /** By component of that set: since when newer changes are in no set. */
  readonly capturedAt: Readonly<Record<string, string>>;
  readonly kept: number;
  readonly running: readonly Lease[];
  /** The newest attempt, if it failed after the newest set. */
  readonly failed: Lease | undefined;
  readonly drill: DrillRecord | undefined;
  /** What could not be read on the way. */
  readonly damaged: readonly Finding[];
}

/** Attempts beyond the newest few tell `status` nothing that the newest does not. */
const NEWEST_SLOTS = 8;

export async function standingOf(vault: Vault, node: string, now: Date): Promise<Standing> {
  const damaged: Finding[] = [];
  const seqs = await manifestSeqs(vault, node);
  const last = await newestReadable(vault, node, seqs, damaged);
  const leases = await newestLeases(vault, node, damaged);
  const [newest] = leases;
  const sealedAt = last === undefined ? Number.NEGATIVE_INFINITY : Date.parse(last.value.sealedAt);
  return {
    node,
    last,
    capturedAt: last === undefined ? {} : await capturedAt(vault, last, damaged),
    kept: await keptOf(vault, node, seqs, damaged),
    running: leases.filter(({ state, expiresAt }) => state === 'held' && Date.parse(expiresAt) > now.getTime()),
    failed: newest?.state === 'failed' && Date.parse(newest.at) > sealedAt ? newest : undefined,
    drill: await newestDrill(vault, node, damaged),
    damaged,
  };
}

async function newestReadable(vault: Vault, node: string, seqs: readonly number[], damaged: Finding[]) {
  for (const seq of seqs.toReversed()) {
    const manifest = await orFinding(damaged, manifestKey(node, seq), () => readManifest(vault, node, seq));
    if (manifest !== undefined) return manifest;
  }
  return undefined;
}

/** The state of a component in a set is that of some instant after its capture began. */
async function capturedAt(
  vault: Vault,
  { value }: StoredManifest,
  damaged: Finding[],
): Promise<Record<string, string>> {
  const times: Record<string, string> = {};
  for (const { component, end } of value.components) {
    const receipt = await orFinding(damaged, end.key, () => readDocument(vault, end.key, EndReceipt));
    if (receipt !== undefined) times[component] = receipt.value.startedAt;
  }
  return times;
}

async function keptOf(vault: Vault, node: string, seqs: readonly number[], damaged: Finding[]): Promise<number> {
  let expired = 0;
  for (const seq of seqs) {
    const tombstone = await orFinding(damaged, tombstoneKey(node, seq), () => readTombstone(vault, node, seq));
    if (tombstone !== undefined) expired += 1;
  }
  return seqs.length - expired;
}

/** Newest first. The store's own times choose what is read: slots may be called anything. */
export async function newestLeases(vault: Vault, node: string, damaged: Finding[]): Promise<Lease[]> {
  const newest = new Map<string, { key: string; at: Date }>();
  for await (const { key, modifiedAt } of vault.list(leasesPrefix(node))) {
    const slot = key.slice(leasesPrefix(node).length).split('/')[0] ?? '';
    if (numberOf(key) !== undefined) newest.set(slot, { key, at: modifiedAt });
  }
  const leases: Lease[] = [];
  const ranked = [...newest.values()].sort((a, b) => b.at.getTime() - a.at.getTime()).slice(0, NEWEST_SLOTS);
  for (const { key } of ranked) {
    const lease = await orFinding(damaged, key, () => readLease(vault, key));
    if (lease !== undefined) leases.push(await asItStands(vault, node, lease.value, damaged));
  }
  return leases.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/** What a killed process ended with. */
export const PROCESS_GONE = 'ProcessGone';

/** A process that was killed left its lease as it was: whether it had sealed, and whether it is gone, shows elsewhere. */
async function asItStands(vault: Vault, node: string, lease: Lease, damaged: Finding[]): Promise<Lease> {
  const { state, slot, head, holder } = lease;
  if (state !== 'held') return lease;
  const sealed = async () =>
    (await manifestOfSlot(vault, SETS, { node, slot }, head)) ??
    (await manifestOfSlot(vault, HISTORY, { node, slot }, head));
  const manifest = await orFinding(damaged, manifestKey(node, head + 1), sealed);
  if (manifest !== undefined) return { ...lease, state: 'sealed' };
  if (!holderGone(holder)) return lease;
  const message = 'its process ended without a word; the next run takes the slot over';
  return { ...lease, state: 'failed', error: { name: PROCESS_GONE, message } };
}

async function newestDrill(vault: Vault, node: string, damaged: Finding[]): Promise<DrillRecord | undefined> {
  let newest: string | undefined;
  for await (const { key } of vault.list(drillsPrefix(node))) if (numberOf(key) !== undefined) newest = key;
  if (newest === undefined) return undefined;
  const key = newest;
  return (await orFinding(damaged, key, () => readDocument(vault, key, DrillRecord)))?.value;
}
