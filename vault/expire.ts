import { type Leftover, leftovers, type RunFolder } from '../core/leftovers.ts';
import { Tombstone } from '../core/manifest.ts';
import { Instant } from '../core/names.ts';
import type { Clock, Signer } from '../core/ports.ts';
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
}

/**
 * Removes a set's artifacts. The signed tombstone comes first: whoever then finds an artifact missing finds the reason
 * too. Manifest and receipts stay. A repeated call goes on where an interrupted one stopped. Resolves to bytes removed.
 */
export async function expireSet(set: StoredSet, reasons: readonly string[], ports: ExpirePorts): Promise<number> {
  const { network, node, seq, components } = set.manifest.value;
  const removed = set.tombstone?.value.removed ?? components.flatMap(({ artifacts }) => artifacts);
  if (set.tombstone === undefined) {
    const tombstone = Tombstone.parse({
      format: 'ledgerhold/tombstone/1',
      ...{ network, node, seq, removed, reasons },
      manifest: set.manifest.sha256,
      expiredAt: Instant.parse(ports.clock.now().toISOString()),
      signer: await publishKey(ports.vault, ports.signer),
    });
    await putSigned(ports.vault, ports.signer, tombstoneKey(node, seq), tombstone);
  }
  let bytes = 0;
  for (const { key, size } of removed) if (await ports.janitor.remove(key)) bytes += size;
  return bytes;
}

export interface FoundRun extends RunFolder {
  readonly keys: readonly string[];
}

/** What attempts left behind that never became a set, and whether it may go. */
export async function findLeftovers(vault: Vault, node: string, now: Date): Promise<Leftover<FoundRun>[]> {
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
  const runs: FoundRun[] = [];
  for (const [prefix, keys] of byRun) {
    const [, , , slot = '', fence = ''] = prefix.split('/');
    // Of a lease that cannot be read, `verify` tells; here it is none, and what it was about stays.
    const lease = await orFinding([], prefix, () => latestLease(vault, node, slot));
    runs.push({ slot, fence: Number(fence), cited: cited.has(prefix), lease: lease?.value, keys });
  }
  return leftovers(runs, now);
}

/** Artifacts of such attempts go; their receipts stay, as all receipts do. Resolves to the number of objects removed. */
export async function sweepLeftovers(found: readonly Leftover<FoundRun>[], janitor: VaultJanitor): Promise<number> {
  let removed = 0;
  for (const { run, sweep } of found) {
    if (!sweep) continue;
    for (const key of run.keys) if (!key.includes('/receipts/') && (await janitor.remove(key))) removed++;
  }
  return removed;
}
