import type { Lease } from '../core/manifest.ts';
import type { Finding } from '../core/proof.ts';
import type { Vault } from '../core/vault.ts';
import { leasesPrefix, numberOf } from './layout.ts';
import { readLease } from './leases.ts';
import { orFinding } from './prove-chain.ts';

/** What lies of the attempts at a slot that was due, or at a later one. */
export interface NewestAttempt {
  /** Somebody has begun it. */
  readonly claimed: boolean;
  /** The newest version; undefined if there is none or if it cannot be read, which is then a finding. */
  readonly lease: Lease | undefined;
  readonly findings: readonly Finding[];
}

/** As schedules name their slots (`slotAt`): such names sort by time, and those that people give sort elsewhere. */
const SCHEDULED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** One listing from the slot on, and one document, however many slots there were before it. */
export async function newestAttempt(vault: Vault, node: string, due: string): Promise<NewestAttempt> {
  const findings: Finding[] = [];
  let newest: string | undefined;
  for await (const { key } of vault.list(leasesPrefix(node), `${leasesPrefix(node)}${due}`)) {
    const [slot = ''] = key.slice(leasesPrefix(node).length).split('/');
    if (slot >= due && SCHEDULED.test(slot) && numberOf(key) !== undefined) newest = key;
  }
  if (newest === undefined) return { claimed: false, lease: undefined, findings };
  const key = newest;
  const lease = await orFinding(findings, key, () => readLease(vault, key));
  return { claimed: true, lease: lease?.value, findings };
}
