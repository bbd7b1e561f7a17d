import { canonicalBytes } from '../core/canonical.ts';
import { Lease } from '../core/manifest.ts';
import { Fence, Instant, NodeName, type Sha256, Slot } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import { decideSlot, LEASE_SECONDS, needsRenewal, type SlotDecision, StaleFence } from '../core/slot.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { type Links, type LinkValue, manifestOfSlot, readHead } from './chain.ts';
import { type Document, NotADocument, putDocument, readDocument } from './documents.ts';
import { leaseKey, leasesPrefix, numberOf } from './layout.ts';

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

type Term = Omit<Lease, 'check' | 'node' | 'slot' | 'n'>;

/** Rejects with `NotADocument` if it is damaged, or is not the lease that its key says. */
export async function readLease(vault: Vault, key: string): Promise<Document<Lease> | undefined> {
  const lease = await readDocument(vault, key, Lease);
  if (lease === undefined) return undefined;
  const { node, slot, n } = lease.value;
  const remedy = 'Compare the object with another copy of the vault.';
  if (leaseKey(node, slot, n) !== key) {
    throw new NotADocument(`${key} holds version ${n} for slot ${slot} of ${node}: moved or replayed`, remedy);
  }
  if (leaseCheck(lease.value) !== lease.value.check)
    throw new NotADocument(`${key} does not fit its own check`, remedy);
  return lease;
}

/** The newest version of a slot's lease. Rejects with `NotADocument`. */
export async function latestLease(vault: Vault, node: string, slot: string): Promise<Document<Lease> | undefined> {
  let newest: string | undefined;
  for await (const { key } of vault.list(leasesPrefix(node, slot))) if (numberOf(key) !== undefined) newest = key;
  return newest === undefined ? undefined : readLease(vault, newest);
}

/**
 * Sealed with its manifest, running with its lease, or ours with a fence. Of concurrent claims exactly one is ours.
 * Rejects with `ChainDamaged` before anything is captured that could not be sealed.
 */
export async function claim<M extends LinkValue>(
  ports: LeasePorts,
  links: Links<M>,
  holder: string,
  { node, slot }: { readonly node: string; readonly slot: string },
): Promise<
  | { readonly outcome: 'sealed'; readonly manifest: Document<M> }
  | { readonly outcome: 'running'; readonly lease: Lease }
  | { readonly outcome: 'taken'; readonly fence: number; readonly why: string }
> {
  // Each turn ends with an answer or with a version more than before; a handful of rivals needs as many turns.
  for (;;) {
    const latest = await latestLease(ports.vault, node, slot);
    const traces = await newestFence(ports.vault, links.runsOf(node, slot));
    // Without lease and traces nobody was ever at it, and the chain need not be searched.
    const searched = latest !== undefined || traces > 0;
    const since = latest?.value.head ?? 0;
    const manifest = searched ? await manifestOfSlot(ports.vault, links, { node, slot }, since) : undefined;
    if (manifest !== undefined) return { outcome: 'sealed', manifest };
    // A repeated call of the same run (its first answer was lost): the slot is still ours.
    if (latest?.value.state === 'held' && latest.value.holder === holder) {
      return { outcome: 'taken', fence: latest.value.fence, why: 'ours already' };
    }
    const decision: SlotDecision = decideSlot(false, latest?.value, ports.clock.now(), ports.holderGone);
    if (decision.outcome === 'running') return decision;
    if (decision.outcome === 'sealed') throw lostManifest(node, slot);
    const newestLink = await readHead(ports.vault, links, node);
    const head = latest?.value.head ?? newestLink?.value.seq ?? 0;
    // Where leases were lost, an attempt may have had a higher fence than those that are left tell.
    const fence = Math.max(decision.fence, traces + 1);
    const { won } = await putLease(ports.vault, { node, slot }, latest, held(ports, { fence, head, holder }));
    if (won) return { outcome: 'taken', fence, why: decision.why };
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
  const { won } = await putLease(ports.vault, attempt, latest, renewed);
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
    const lease: Term = { ...held(ports, latest.value), state, ...(error && { error }) };
    if ((await putLease(ports.vault, attempt, latest, lease)).won) return;
  }
}

function held(ports: LeasePorts, { fence, head, holder }: { fence: number; head: number; holder: string }): Term {
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

/** The highest fence under a slot's prefix, where nothing is ever overwritten; 0 if there is none. */
async function newestFence(vault: Vault, prefix: string): Promise<number> {
  let newest = 0;
  for await (const { key } of vault.list(prefix)) {
    const [fence] = /^\d+(?=\/)/.exec(key.slice(prefix.length)) ?? [];
    newest = Math.max(newest, Number(fence ?? 0));
  }
  return newest;
}

/** SHA-256 over the canonical bytes of a lease without its `check`. */
function leaseCheck({ check: _, ...lease }: Omit<Lease, 'check'> & { check?: string }): Sha256 {
  return sha256(canonicalBytes(lease));
}

/** As the version behind `latest`. */
function putLease(
  vault: Vault,
  slotOf: { readonly node: string; readonly slot: string },
  latest: Document<Lease> | undefined,
  term: Term,
): Promise<{ won: boolean }> {
  const [node, slot] = [NodeName.parse(slotOf.node), Slot.parse(slotOf.slot)];
  const lease = { ...term, node, slot, n: (latest?.value.n ?? 0) + 1 };
  return putDocument(vault, leaseKey(node, slot, lease.n), { ...lease, check: leaseCheck(lease) });
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
