import { calendar } from '../core/calendar.ts';
import { LedgerholdError } from '../core/errors.ts';
import { type Leftover, SWEEP_GRACE_HOURS } from '../core/leftovers.ts';
import { setId } from '../core/names.ts';
import { type RetainableSet, type Retained, type RetentionPolicy, retention } from '../core/retention.ts';
import type { Vault } from '../core/vault.ts';
import { type ExpirePorts, expireSet, type FoundRun, findLeftovers, sweepLeftovers } from './expire.ts';
import { readVaultFormat } from './format.ts';
import { proveChain } from './prove-chain.ts';
import type { StoredSet } from './sets.ts';
import { trustFrom } from './trust.ts';

/** How many sets to keep of each node, as the config has it; nothing: all. */
export type KeepCounts = Pick<RetentionPolicy, 'keepLast' | 'daily' | 'weekly'>;

export interface RetentionQuestion {
  readonly vault: Vault;
  readonly node: string;
  readonly keep: KeepCounts;
  readonly timeZone: string;
  /** PEM. Whoever can only write to the vault must not be able to make us delete by a forged manifest. */
  readonly publicKeys: readonly string[];
  readonly now: Date;
}

/** A set that has not expired. */
export interface KeptSet extends RetainableSet {
  readonly stored: StoredSet;
  /** Size of its artifacts as sealed. */
  readonly bytes: number;
}

/** What retention would do to a node, and why; nothing has been done. */
export interface RetentionPlan {
  /** Newest first. */
  readonly sets: readonly Retained<KeptSet>[];
  /** Sets with an artifact missing or cut: they stay as they are, since a tombstone would pass damage off as expiry. */
  readonly damaged: readonly { readonly set: KeptSet; readonly key: string }[];
  /** Expired before, by a run that was cut off before it had removed everything. */
  readonly unfinished: readonly StoredSet[];
  readonly leftovers: readonly Leftover<FoundRun>[];
}

/** The node's chain is not proven, so nothing may be deleted on its word. */
export class RetentionRefused extends LedgerholdError {
  override readonly name = 'RetentionRefused';
  readonly kind = 'violation';
}

/** Decides for every set of a node. Rejects with `RetentionRefused` unless every link of its chain is proven. */
export async function planRetention(question: RetentionQuestion): Promise<RetentionPlan> {
  const { vault, node, keep, timeZone, now } = question;
  const stored = await provenSets(question);
  const sizes = new Map<string, number>();
  for await (const { key, size } of vault.list(`sets/${node}/runs/`)) sizes.set(key, size);

  const live = stored.filter(({ tombstone }) => tombstone === undefined).map(keptSet);
  const damaged = live.flatMap((set) => {
    const wrong = artifactsOf(set.stored).find(({ key, size }) => sizes.get(key) !== size);
    return wrong === undefined ? [] : [{ set, key: wrong.key }];
  });
  const whole = live.filter((set) => !damaged.some((one) => one.set === set));
  const decided = retention(whole, { ...keep, ...calendar(timeZone) }, now, { inUse: new Map() });
  const kept = damaged.map(({ set, key }) => ({ set, keep: true, reasons: [`damaged: ${key} is missing or cut`] }));
  return {
    sets: [...decided, ...kept].sort((a, b) => b.set.seq - a.set.seq),
    damaged,
    unfinished: stored.filter((set) => set.tombstone?.value.removed.some(({ key }) => sizes.has(key))),
    leftovers: await findLeftovers(vault, node, now),
  };
}

export interface RetentionResult {
  /** Ids of the sets that expired, oldest first. */
  readonly expired: readonly string[];
  /** Of artifacts removed from sets. */
  readonly bytes: number;
  /** Objects that belonged to no set. */
  readonly swept: number;
}

/** Writes under way, in the vault's own temporary space, are given the same time as attempts. */
const UNFINISHED_WRITE_MS = SWEEP_GRACE_HOURS * 3_600_000;

/** Does what a plan says. May be repeated, and broken off between any two deletions. */
export async function applyRetention(
  plan: RetentionPlan,
  ports: ExpirePorts,
  signal?: AbortSignal,
): Promise<RetentionResult> {
  let bytes = 0;
  for (const set of plan.unfinished) {
    signal?.throwIfAborted();
    bytes += await expireSet(set, [], ports);
  }
  const dropped = plan.sets.filter(({ keep }) => !keep).toReversed();
  for (const { set, reasons } of dropped) {
    signal?.throwIfAborted();
    bytes += await expireSet(set.stored, reasons, ports);
  }
  const unseen = await ports.janitor.sweepUnfinished(new Date(ports.clock.now().getTime() - UNFINISHED_WRITE_MS));
  const swept = unseen + (await sweepLeftovers(plan.leftovers, ports.janitor));
  return { expired: dropped.map(({ set }) => set.stored.id), bytes, swept };
}

async function provenSets({ vault, node, publicKeys }: RetentionQuestion): Promise<StoredSet[]> {
  const format = await readVaultFormat(vault);
  const { links, findings } = await proveChain(vault, node, format?.network, await trustFrom(vault, publicKeys));
  const [doubt] = [...findings, ...links.flatMap((link) => link.findings)];
  if (doubt !== undefined) {
    const remedy = 'Run `ledgerhold verify --all --quick` and mend what it names; until then nothing expires.';
    throw new RetentionRefused(`nothing of ${node} expires while its chain is in doubt: ${doubt.text}`, remedy);
  }
  return links.flatMap(({ seq, manifest, tombstone }) =>
    manifest === undefined ? [] : [{ id: setId(node, seq), manifest, tombstone }],
  );
}

const artifactsOf = ({ manifest }: StoredSet) => manifest.value.components.flatMap(({ artifacts }) => artifacts);

function keptSet(stored: StoredSet): KeptSet {
  const { seq, sealedAt, reason, verdict } = stored.manifest.value;
  const bytes = artifactsOf(stored).reduce((sum, { size }) => sum + size, 0);
  return { seq, sealedAt, reason, verdict: verdict.status, stored, bytes };
}
