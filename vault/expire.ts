import { type Leftover, leftovers, type RunFolder } from '../core/leftovers.ts';
import { Tombstone } from '../core/manifest.ts';
import { Instant } from '../core/names.ts';
import type { Clock, Signer } from '../core/ports.ts';
import type { OwnSnapshot, SnapshotJanitor } from '../core/snapshot-janitor.ts';
import type { Vault, VaultJanitor } from '../core/vault.ts';
import { putSigned } from './documents.ts';
import { runPrefix, tombstoneKey } from './layout.ts';
import { latestLease } from './leases.ts';
import { orFinding } from './prove-chain.ts';
import { readSets, type StoredSet } from './sets.ts';
import { publishKey } from './trust.ts';

export interface ExpirePorts {
  readonly vault: Vault;
  readonly janitor: VaultJanitor;
  readonly signer: Signer;
  readonly clock: Clock;
  /** Absent where snapshots are out of reach: a set that has some is then never given here. */
  readonly snapshots?: SnapshotJanitor;
}

/** A set, and the snapshots in RDS that its references stand for, by the keys of the references. */
export interface Expiring {
  readonly stored: StoredSet;
  readonly snapshots: ReadonlyMap<string, OwnSnapshot>;
}

export interface Expired {
  /** Removed from the vault. */
  readonly bytes: number;
  /** Names of the snapshots that were deleted. */
  readonly snapshots: readonly string[];
  /** Names of those that RDS would not delete now; the next run does. */
  readonly busy: readonly string[];
}

/**
 * Removes a set's artifacts. The signed tombstone comes first: whoever then finds an artifact missing finds the reason
 * too. A snapshot goes before its reference, so that what is left always shows. Manifest and receipts stay. A repeated
 * call goes on where an interrupted one stopped.
 */
export async function expireSet(
  { stored, snapshots }: Expiring,
  reasons: readonly string[],
  ports: ExpirePorts,
): Promise<Expired> {
  const removed = await entomb(stored, reasons, ports);
  let bytes = 0;
  const gone: string[] = [];
  const busy: string[] = [];
  for (const { key, size } of removed) {
    const snapshot = snapshots.get(key);
    const removal = snapshot === undefined ? 'gone' : await ports.snapshots?.remove(snapshot);
    if (snapshot !== undefined && removal === 'removed') gone.push(snapshot.id);
    if (snapshot !== undefined && (removal === 'busy' || removal === undefined)) busy.push(snapshot.id);
    else if (await ports.janitor.remove(key)) bytes += size;
  }
  return { bytes, snapshots: gone, busy };
}

/** Signs and writes the tombstone unless it is there; resolves to what it says is removed. */
async function entomb({ manifest, tombstone }: StoredSet, reasons: readonly string[], ports: ExpirePorts) {
  if (tombstone !== undefined) return tombstone.value.removed;
  const { network, node, seq, components } = manifest.value;
  const removed = components.flatMap(({ artifacts }) => artifacts);
  const document = Tombstone.parse({
    format: 'ledgerhold/tombstone/1',
    ...{ network, node, seq, removed, reasons },
    manifest: manifest.sha256,
    expiredAt: Instant.parse(ports.clock.now().toISOString()),
    signer: await publishKey(ports.vault, ports.signer),
  });
  await putSigned(ports.vault, ports.signer, tombstoneKey(node, seq), document);
  return removed;
}

export interface FoundRun extends RunFolder {
  readonly keys: readonly string[];
  readonly snapshots: readonly OwnSnapshot[];
}

/** What attempts left behind that never became a set, and whether it may go. */
export async function findLeftovers(
  vault: Vault,
  node: string,
  now: Date,
  snapshots: readonly OwnSnapshot[] = [],
): Promise<Leftover<FoundRun>[]> {
  const cited = new Set<string>();
  for await (const { manifest } of readSets(vault, node)) {
    cited.add(runPrefix(node, manifest.value.slot, manifest.value.fence));
  }
  const byRun = new Map<string, string[]>();
  for await (const { key } of vault.list(`sets/${node}/runs/`)) {
    const [, , , slot, fence] = key.split('/');
    const prefix = `sets/${node}/runs/${slot}/${fence}/`;
    byRun.set(prefix, [...(byRun.get(prefix) ?? []), key]);
  }
  // An attempt's first receipt is written before its first snapshot; should it be lost, the snapshot still shows.
  const snapshotsOf = Map.groupBy(snapshots, ({ slot, fence }) => runPrefix(node, slot, fence));
  for (const prefix of snapshotsOf.keys()) byRun.set(prefix, byRun.get(prefix) ?? []);
  const runs: FoundRun[] = [];
  for (const [prefix, keys] of byRun) {
    const [, , , slot = '', fence = ''] = prefix.split('/');
    // Of a lease that cannot be read, `verify` tells; here it is none, and what it was about stays.
    const lease = await orFinding([], prefix, () => latestLease(vault, node, slot));
    const own = { keys, snapshots: snapshotsOf.get(prefix) ?? [] };
    runs.push({ slot, fence: Number(fence), cited: cited.has(prefix), lease: lease?.value, ...own });
  }
  return leftovers(runs, now);
}

export interface Swept {
  /** Number of objects removed from the vault. */
  readonly objects: number;
  /** Names of the snapshots that were deleted. */
  readonly snapshots: readonly string[];
}

/** Artifacts and snapshots of such attempts go; their receipts stay, as all receipts do. */
export async function sweepLeftovers(
  found: readonly Leftover<FoundRun>[],
  { janitor, snapshots }: Pick<ExpirePorts, 'janitor' | 'snapshots'>,
): Promise<Swept> {
  let objects = 0;
  const gone: string[] = [];
  for (const { run } of found.filter(({ sweep }) => sweep)) {
    for (const each of run.snapshots) if ((await snapshots?.remove(each)) === 'removed') gone.push(each.id);
    for (const key of run.keys) if (!key.includes('/receipts/') && (await janitor.remove(key))) objects++;
  }
  return { objects, snapshots: gone };
}
