import { DrillRecord } from '../core/drill.ts';
import { Lease } from '../core/manifest.ts';
import { EndReceipt } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';
import { readDocument } from '../vault/documents.ts';
import { drillsPrefix, leasesPrefix, numberOf } from '../vault/layout.ts';
import { manifestSeqs, readManifest, readTombstone, type StoredManifest } from '../vault/sets.ts';

/** Where a node stands, from what lies in the vault. */
export interface Standing {
  readonly node: string;
  /** The newest set. */
  readonly last: StoredManifest | undefined;
  /** By component of that set: since when newer changes are in no set. */
  readonly capturedAt: Readonly<Record<string, string>>;
  readonly kept: number;
  readonly running: readonly SlotLease[];
  /** The newest attempt, if it failed after the newest set. */
  readonly failed: SlotLease | undefined;
  readonly drill: DrillRecord | undefined;
}

export interface SlotLease extends Lease {
  readonly slot: string;
}

/** Attempts beyond the newest few tell `status` nothing that the newest does not. */
const NEWEST_SLOTS = 8;

export async function standingOf(vault: Vault, node: string, now: Date): Promise<Standing> {
  const seqs = await manifestSeqs(vault, node);
  const last = seqs.length === 0 ? undefined : await readManifest(vault, node, seqs.at(-1) ?? 0);
  const leases = await newestLeases(vault, node);
  const [newest] = leases;
  const sealedAt = last === undefined ? Number.NEGATIVE_INFINITY : Date.parse(last.value.sealedAt);
  return {
    node,
    last,
    capturedAt: last === undefined ? {} : await capturedAt(vault, last),
    kept: await keptOf(vault, node, seqs),
    running: leases.filter(({ state, expiresAt }) => state === 'held' && Date.parse(expiresAt) > now.getTime()),
    failed: newest?.state === 'failed' && Date.parse(newest.at) > sealedAt ? newest : undefined,
    drill: await newestDrill(vault, node),
  };
}

/** The state of a component in a set is that of some instant after its capture began. */
async function capturedAt(vault: Vault, { value }: StoredManifest): Promise<Record<string, string>> {
  const times: Record<string, string> = {};
  for (const { component, end } of value.components) {
    const receipt = await readDocument(vault, end.key, EndReceipt);
    if (receipt !== undefined) times[component] = receipt.value.startedAt;
  }
  return times;
}

async function keptOf(vault: Vault, node: string, seqs: readonly number[]): Promise<number> {
  let expired = 0;
  for (const seq of seqs) if ((await readTombstone(vault, node, seq)) !== undefined) expired += 1;
  return seqs.length - expired;
}

/** Newest first. The store's own times choose what is read: slots may be called anything. */
async function newestLeases(vault: Vault, node: string): Promise<SlotLease[]> {
  const newest = new Map<string, { key: string; at: Date }>();
  for await (const { key, modifiedAt } of vault.list(leasesPrefix(node))) {
    const slot = key.slice(leasesPrefix(node).length).split('/')[0] ?? '';
    if (numberOf(key) !== undefined) newest.set(slot, { key, at: modifiedAt });
  }
  const leases: SlotLease[] = [];
  const ranked = [...newest].sort(([, a], [, b]) => b.at.getTime() - a.at.getTime()).slice(0, NEWEST_SLOTS);
  for (const [slot, { key }] of ranked) {
    const lease = await readDocument(vault, key, Lease);
    if (lease !== undefined) leases.push({ ...lease.value, slot });
  }
  return leases.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

async function newestDrill(vault: Vault, node: string): Promise<DrillRecord | undefined> {
  let key: string | undefined;
  for await (const object of vault.list(drillsPrefix(node))) if (numberOf(object.key) !== undefined) key = object.key;
  return key === undefined ? undefined : (await readDocument(vault, key, DrillRecord))?.value;
}
