import { canonicalBytes } from '../core/canonical.ts';
import { Lease } from '../core/manifest.ts';
import { Fence, Instant, type Sha256 } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import { decideSlot, LEASE_SECONDS, needsRenewal, type SlotDecision, StaleFence } from '../core/slot.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { type Document, putDocument, readDocument } from './documents.ts';
import { leaseKey, leasesPrefix, numberOf } from './layout.ts';
import { headSeq, manifestOfSlot, type StoredManifest } from './sets.ts';

/** One attempt at a slot. */
export interface Attempt {
  readonly node: string;
  readonly slot: string;
  readonly fence: number;
}

/** What leases need of the world. */
export interface LeasePorts {
  readonly vault: Vault;
  readonly clock: Clock;
  /** True only if it is certain that the holder's process is no more. */
  readonly holderGone: (holder: string) => boolean;
}

type Unchecked = Omit<Lease, 'check'>;

interface Version extends Document<Lease> {
  readonly n: number;
}

/** The newest version of a slot's lease. */
export async function latestLease(vault: Vault, node: string, slot: string): Promise<Version | undefined> {
  let n: number | undefined;
  for await (const { key } of vault.list(leasesPrefix(node, slot))) n = numberOf(key) ?? n;
  if (n === undefined) return undefined;
  const document = await readDocument(vault, leaseKey(node, slot, n), Lease);
  return document === undefined ? undefined : { ...document, n };
}

/** Sealed with its manifest, running with its lease, or ours with a fence. Of concurrent claims exactly one is ours. */
export async function claim(
  ports: LeasePorts,
  holder: string,
  node: string,
  slot: string,
): Promise<
  | { readonly outcome: 'sealed'; readonly manifest: StoredManifest }
  | { readonly outcome: 'running'; readonly lease: Lease }
  | { readonly outcome: 'taken'; readonly fence: number; readonly why: string }
> {
  // Each turn ends with an answer or with a version more than before; a handful of rivals needs as many turns.
  for (;;) {
    const latest = await latestLease(ports.vault, node, slot);
    const manifest = latest && (await manifestOfSlot(ports.vault, node, slot, latest.value.head));
    if (manifest !== undefined) return { outcome: 'sealed', manifest };
    // A repeated call of the same run (its first answer was lost): the slot is still ours.
    if (latest?.value.state === 'held' && latest.value.holder === holder) {
      return { outcome: 'taken', fence: latest.value.fence, why: 'ours already' };
    }
    const decision: SlotDecision = decideSlot(false, latest?.value, ports.clock.now(), ports.holderGone);
    if (decision.outcome === 'running') return decision;
    if (decision.outcome === 'sealed') throw lostManifest(node, slot);
    const head = latest?.value.head ?? (await headSeq(ports.vault, node));
    const lease = held(ports, { fence: decision.fence, head, holder });
    const { won } = await putLease(ports.vault, { node, slot }, (latest?.n ?? 0) + 1, lease);
    if (won) return { outcome: 'taken', fence: decision.fence, why: decision.why };
  }
}

/** Every effect of a run calls this first. Rejects with `StaleFence` if the slot has been taken over or ended. */
export async function assertHeld(ports: LeasePorts, attempt: Attempt): Promise<void> {
  const latest = await latestLease(ports.vault, attempt.node, attempt.slot);
  if (latest === undefined || latest.value.fence !== attempt.fence || latest.value.state !== 'held') {
    throw stale(attempt, latest?.value);
  }
  if (!needsRenewal(latest.value, ports.clock.now())) return;
  const renewed = held(ports, latest.value);
  const { won } = await putLease(ports.vault, attempt, latest.n + 1, renewed);
  // A parallel capture of the same run may have renewed first; only another fence is a loss.
  if (!won) await assertHeld(ports, attempt);
}

/** Ends the lease. Does nothing if another attempt holds it by now. */
export async function endLease(
  ports: LeasePorts,
  attempt: Attempt,
  state: 'sealed' | 'failed',
  error?: Lease['error'],
): Promise<void> {
  for (;;) {
    const latest = await latestLease(ports.vault, attempt.node, attempt.slot);
    if (latest === undefined || latest.value.fence !== attempt.fence || latest.value.state !== 'held') return;
    const lease: Unchecked = { ...held(ports, latest.value), state, ...(error && { error }) };
    if ((await putLease(ports.vault, attempt, latest.n + 1, lease)).won) return;
  }
}

function held(ports: LeasePorts, { fence, head, holder }: { fence: number; head: number; holder: string }): Unchecked {
  const now = ports.clock.now();
  return {
    format: 'ledgerhold/lease/1',
    fence: Fence.parse(fence),
    head,
    holder,
    at: Instant.parse(now.toISOString()),
    expiresAt: Instant.parse(new Date(now.getTime() + LEASE_SECONDS * 1000).toISOString()),
    state: 'held',
  };
}

/** SHA-256 over the canonical bytes of a lease without its `check`. */
export function leaseCheck({ check: _, ...lease }: Unchecked & { check?: string }): Sha256 {
  return sha256(canonicalBytes(lease));
}

function putLease(vault: Vault, { node, slot }: { node: string; slot: string }, n: number, lease: Unchecked) {
  return putDocument(vault, leaseKey(node, slot, n), { ...lease, check: leaseCheck(lease) });
}

const stale = (attempt: Attempt, latest: Lease | undefined): StaleFence =>
  new StaleFence(
    `attempt ${attempt.fence} at slot ${attempt.slot} of ${attempt.node} no longer holds it` +
      (latest === undefined ? '' : ` (attempt ${latest.fence} is ${latest.state}, by ${latest.holder})`),
    'Nothing to do for this attempt: see `ledgerhold status` for the one that holds the slot.',
  );

const lostManifest = (node: string, slot: string): StaleFence =>
  new StaleFence(
    `the lease of slot ${slot} of ${node} says sealed, but its manifest is not in the vault`,
    'Run `ledgerhold verify --all`: a manifest has been removed.',
  );
