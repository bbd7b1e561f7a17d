import { canonicalBytes } from '../core/canonical.ts';
import { LedgerholdError } from '../core/errors.ts';
import { Manifest } from '../core/manifest.ts';
import { type Fence, Instant, setId } from '../core/names.ts';
import type { Clock, Signer } from '../core/ports.ts';
import { judge, OrderViolated, type Verdict } from '../core/positions.ts';
import { proveOrder } from '../core/proof.ts';
import type { EndReceipt } from '../core/receipts.ts';
import type { Run } from '../core/run.ts';
import type { Vault } from '../core/vault.ts';
import { waves } from '../core/waves.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { manifestOfSlot, readHead, SETS } from './chain.ts';
import { putSigned } from './documents.ts';
import { manifestKey, receiptKey } from './layout.ts';
import { newestFirst } from './newest.ts';
import { attested, readReceipts, type StoredManifest, type StoredReceipts } from './sets.ts';
import { publishKey } from './trust.ts';

/** From the first start to the last one it took longer than the configuration allows. */
export class StaleSet extends LedgerholdError {
  override readonly name = 'StaleSet';
  readonly kind = 'violation';
}

/** A node says that it is somebody else than in the newest set that tells. */
export class IdentityChanged extends LedgerholdError {
  override readonly name = 'IdentityChanged';
  readonly kind = 'refused';
}

export interface SealPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly signer: Signer;
  /** The signer before this one, once, when the key is changed. */
  readonly endorser?: Signer;
}

type Receipts = ReadonlyMap<string, StoredReceipts>;
type Unchained = Omit<Manifest, 'seq' | 'previous'>;

/**
 * Makes the receipts of one attempt into a set: proves the order, judges the positions, signs, and writes the manifest
 * as the next link of the node's chain. Of concurrent sealers of a slot one wins and the others return its manifest.
 * `since` is the chain's head when the slot was claimed: only behind it can a manifest of this slot lie.
 * Rejects with `OrderViolated`, `StaleSet`, `IdentityChanged` or `ChainDamaged`; then no set appears.
 */
export async function sealManifest(
  run: Run,
  fence: Fence,
  since: number,
  protocol: Protocol,
  ports: SealPorts,
): Promise<StoredManifest> {
  const planned = waves(run.components, protocol);
  const receipts = await finishedReceipts(run, fence, planned.predecessors, ports.vault);
  const readings = run.components.map((each) => attested(each, receipts.get(each.component)?.end.value));
  const { laws, sameIdentity } = protocol;
  const verdict = judge({ laws, sameIdentity, readings, order: planned.order });
  refuseViolated(verdict);
  const spreadSeconds = spread([...receipts.values()].map(({ end }) => end.value));
  if (spreadSeconds > run.maxSpreadSeconds) throw tooSpread(run, spreadSeconds);
  const unchained: Unchained = {
    format: 'ledgerhold/manifest/1',
    ...{ network: run.network, node: run.node, protocol: run.protocol, slot: run.slot, fence, reason: run.reason },
    sealedAt: Instant.parse(ports.clock.now().toISOString()),
    spreadSeconds,
    waves: planned.waves.map((wave) => [...wave]),
    order: planned.order.map(([before, after]) => [before, after]),
    components: run.components.map(({ component, role }) => cite(component, role, receipts)),
    verdict,
    facts: factsOf(receipts),
    signer: await publishKey(ports.vault, ports.signer, ports.endorser),
  };
  return link(unchained, since, ports);
}

/** Takes the chain's next free number. Whoever finds it taken reads the new head and goes behind it. */
async function link(unchained: Unchained, since: number, { vault, signer }: SealPorts): Promise<StoredManifest> {
  for (;;) {
    const own = await manifestOfSlot(vault, SETS, unchained, since);
    if (own !== undefined) return own;
    const head = await readHead(vault, SETS, unchained.node);
    await refuseChangedIdentity(unchained, vault);
    const manifest = Manifest.parse({ ...unchained, seq: (head?.value.seq ?? 0) + 1, previous: head?.sha256 ?? null });
    const key = manifestKey(manifest.node, manifest.seq);
    const { won, sha256 } = await putSigned(vault, signer, key, manifest);
    if (won) return { key, value: manifest, sha256, bytes: canonicalBytes(manifest) };
  }
}

async function finishedReceipts(
  run: Run,
  fence: Fence,
  predecessors: Readonly<Record<string, readonly string[]>>,
  vault: Vault,
): Promise<Receipts> {
  const attempt = { network: run.network, node: run.node, slot: run.slot, fence };
  const pairs = new Map<string, Awaited<ReturnType<typeof readReceipts>>>();
  for (const { component } of run.components) {
    const keys = { start: receiptKey(attempt, component, 'start'), end: receiptKey(attempt, component, 'end') };
    pairs.set(component, await readReceipts(vault, keys));
  }
  const violations = proveOrder(attempt, predecessors, pairs);
  if (violations.length > 0) throw orderViolated(violations.map(({ text }) => text));
  return new Map([...pairs].flatMap(([name, { start, end }]) => (start && end ? [[name, { start, end }]] : [])));
}

function cite(component: Manifest['components'][number]['component'], role: string, receipts: Receipts) {
  const pair = receipts.get(component);
  if (pair === undefined) throw orderViolated([`${component} has no receipts`]);
  const { start, end } = pair;
  return {
    ...{ component, role },
    start: { key: start.key, sha256: start.sha256 },
    end: { key: end.key, sha256: end.sha256 },
    artifacts: end.value.artifacts.map(({ key, size, sha256 }) => ({ key, size, sha256 })),
  };
}

/** What a restore or an auditor wants at hand, under `<component>.<name>`: versions, notes, and who each node is. */
function factsOf(receipts: Receipts): Record<string, string> {
  return Object.fromEntries(
    [...receipts].flatMap(([component, { end }]) => {
      const { versions, notes, reading } = end.value;
      const identity = reading?.status === 'known' && reading.identity !== null ? { identity: reading.identity } : {};
      return Object.entries({ ...versions, ...notes, ...identity }).map(([name, value]) => [
        `${component}.${name}`,
        value,
      ]);
    }),
  );
}

function spread(ends: readonly EndReceipt[]): number {
  const starts = ends.map(({ startedAt }) => Date.parse(startedAt));
  return Math.round((Math.max(...starts) - Math.min(...starts)) / 1000);
}

function refuseViolated(verdict: Verdict): void {
  if (verdict.status === 'violated') throw orderViolated(verdict.violations);
}

const orderViolated = (violations: readonly string[]): OrderViolated =>
  new OrderViolated(
    `no set was sealed: ${violations.join('; ')}`,
    'Do not restore from these files. Run the backup again; if it happens again, look for a second writer or a restored database.',
  );

const tooSpread = (run: Run, seconds: number): StaleSet =>
  new StaleSet(
    `the captures of slot ${run.slot} started ${seconds} s apart; at most ${run.maxSpreadSeconds} s are allowed`,
    'Find the slow capture with `ledgerhold status`, or allow more with `maxSpread`.',
  );

/** A set in which a database could not be read tells nobody's identity; so many of them are looked past. */
const SETS_BACK = 50;

async function refuseChangedIdentity({ facts, reason, node }: Unchained, vault: Vault): Promise<void> {
  const open = new Map(Object.entries(facts).filter(([fact]) => fact.endsWith('.identity')));
  let left = reason === 'config-change' ? 0 : SETS_BACK;
  for await (const { value: earlier } of newestFirst(vault, node)) {
    if (left-- <= 0 || open.size === 0) return;
    for (const [fact, now] of open) {
      const before = earlier.facts[fact];
      if (before === undefined) continue;
      if (before !== now) throw identityChanged(node, fact, now, `${before} in ${setId(node, earlier.seq)}`);
      open.delete(fact);
    }
    // A change on purpose: what lies before it tells of somebody else.
    if (earlier.reason === 'config-change') return;
  }
}

const identityChanged = (node: string, fact: string, now: string, before: string): IdentityChanged =>
  new IdentityChanged(
    `${fact} of ${node} is ${now}, and was ${before}`,
    'If the node was re-onboarded on purpose, run once with `--reason config-change`; else the configuration names a foreign node.',
  );
