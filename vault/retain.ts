import { calendar } from '../core/calendar.ts';
import { snapshotId } from '../core/deployed-names.ts';
import { LedgerholdError } from '../core/errors.ts';
import { type Leftover, SWEEP_GRACE_HOURS } from '../core/leftovers.ts';
import { setId } from '../core/names.ts';
import { type RetainableSet, type Retained, type RetentionPolicy, retention } from '../core/retention.ts';
import { isReference, isWhole, type OwnSnapshot } from '../core/snapshot-janitor.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { type ExpirePorts, type Expiring, expireSet, type FoundRun, findLeftovers, sweepLeftovers } from './expire.ts';
import { readVaultFormat } from './format.ts';
import { holdsOn } from './holds.ts';
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
  /** The node's snapshots in RDS. Absent: they are out of reach, and a set that has some is kept. */
  readonly snapshots?: readonly OwnSnapshot[];
  /** By protocol: what it prunes after, or refuses to come back from. No gap between kept sets is made longer. */
  readonly maxGapHours?: (protocol: string) => number | undefined;
}

/** A set that has not expired. */
export interface KeptSet extends RetainableSet, Expiring {
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
  readonly unfinished: readonly Expiring[];
  readonly leftovers: readonly Leftover<FoundRun>[];
}

/** The node's chain is not proven, so nothing may be deleted on its word. */
export class RetentionRefused extends LedgerholdError {
  override readonly name = 'RetentionRefused';
  readonly kind = 'violation';
}

/** Decides for every set of a node. Rejects with `RetentionRefused` unless every link of its chain is proven. */
export async function planRetention(question: RetentionQuestion): Promise<RetentionPlan> {
  const { vault, node, keep, timeZone, now, snapshots } = question;
  const stored = await provenSets(question);
  const sizes = new Map<string, number>();
  for await (const { key, size } of vault.list(`sets/${node}/runs/`)) sizes.set(key, size);

  const all = stored.map((set) => expiring(set, snapshots ?? []));
  const live = all.filter(({ stored }) => stored.tombstone === undefined).map(keptSet);
  const damaged = live.flatMap((set) => {
    const wrong = artifactsOf(set.stored).find(
      ({ key, size }) =>
        sizes.get(key) !== size || (snapshots !== undefined && isReference({ key }) && !hasWhole(set, key)),
    );
    return wrong === undefined ? [] : [{ set, key: wrong.key }];
  });
  const whole = live.filter((set) => !damaged.some((one) => one.set === set));
  const guards = { inUse: await usersOf(question, whole), maxGapHours: maxGapOf(question, whole) };
  const decided = retention(whole, { ...keep, ...calendar(timeZone) }, now, guards);
  const kept = damaged.map(({ set, key }) => ({
    set,
    keep: true,
    reasons: [`damaged: ${key}, or the snapshot it stands for, is missing or cut`],
  }));
  return {
    sets: [...decided, ...kept].sort((a, b) => b.set.seq - a.set.seq),
    damaged,
    unfinished: all.filter(
      (set) =>
        set.stored.tombstone !== undefined &&
        (set.snapshots.size > 0 || set.stored.tombstone.value.removed.some(({ key }) => sizes.has(key))),
    ),
    leftovers: await findLeftovers(vault, node, now, snapshots),
  };
}

export interface RetentionResult {
  /** Ids of the sets that expired, oldest first. */
  readonly expired: readonly string[];
  /** Of artifacts removed from sets. */
  readonly bytes: number;
  /** Objects that belonged to no set. */
  readonly swept: number;
  /** Names of the snapshots that were deleted, of sets and of broken-off runs. */
  readonly snapshots: readonly string[];
  /** Names of those that RDS would not delete now. */
  readonly busy: readonly string[];
}

/** Writes under way, in the vault's own temporary space, are given the same time as attempts. */
const UNFINISHED_WRITE_MS = SWEEP_GRACE_HOURS * 3_600_000;

/** Does what a plan says. May be repeated, and broken off between any two deletions. */
export async function applyRetention(
  plan: RetentionPlan,
  ports: ExpirePorts,
  signal?: AbortSignal,
): Promise<RetentionResult> {
  const dropped = plan.sets.filter(({ keep }) => !keep).toReversed();
  const work = [
    ...plan.unfinished.map((set) => ({ set, reasons: [] })),
    ...dropped.map(({ set, reasons }) => ({ set, reasons })),
  ];
  let bytes = 0;
  const snapshots: string[] = [];
  const busy: string[] = [];
  const expired: string[] = [];
  for (const { set, reasons } of work) {
    signal?.throwIfAborted();
    if (await isHeldNow(set, ports)) continue;
    const gone = await expireSet(set, reasons, ports);
    if (dropped.some((each) => each.set === set)) expired.push(set.stored.id);
    bytes += gone.bytes;
    snapshots.push(...gone.snapshots);
    busy.push(...gone.busy);
  }
  const unseen = await ports.janitor.sweepUnfinished(new Date(ports.clock.now().getTime() - UNFINISHED_WRITE_MS));
  const swept = await sweepLeftovers(plan.leftovers, ports);
  return {
    ...{ expired, bytes, busy },
    swept: unseen + swept.objects,
    snapshots: [...snapshots, ...swept.snapshots],
  };
}

/** A drill or a restore may have taken it up since the plan was made; one that has a tombstone is gone already. */
async function isHeldNow({ stored }: Expiring, { vault, clock }: ExpirePorts): Promise<boolean> {
  const { node, seq } = stored.manifest.value;
  return stored.tombstone === undefined && (await holdsOn(vault, node, clock.now())).has(seq);
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

const hasWhole = ({ snapshots }: Expiring, key: string): boolean => {
  const snapshot = snapshots.get(key);
  return snapshot !== undefined && isWhole(snapshot);
};

/** Names are the same for every repetition, so a set's snapshots are known without reading an artifact. */
function expiring(stored: StoredSet, found: readonly OwnSnapshot[]): Expiring {
  const { network, node, slot, fence, components } = stored.manifest.value;
  const snapshots = new Map<string, OwnSnapshot>();
  for (const { component, artifacts } of components) {
    const reference = artifacts.find(isReference);
    if (reference === undefined) continue;
    const id = snapshotId({ network, node, slot, fence, component }, sha256);
    const snapshot = found.find((each) => each.id === id && each.slot === slot && each.fence === fence);
    if (snapshot !== undefined) snapshots.set(reference.key, snapshot);
  }
  return { stored, snapshots };
}

/** Who needs a set: whoever has put a hold on it, and the one whose snapshots cannot be reached from here. */
async function usersOf({ vault, node, now, snapshots }: RetentionQuestion, sets: readonly KeptSet[]) {
  const users = new Map(await holdsOn(vault, node, now));
  for (const { seq, stored } of snapshots === undefined ? sets : []) {
    if (artifactsOf(stored).some(isReference))
      users.set(seq, 'it has snapshots in RDS, which only the retention on AWS removes');
  }
  return users;
}

function maxGapOf({ maxGapHours }: RetentionQuestion, sets: readonly KeptSet[]): number | undefined {
  const newest = sets.at(-1)?.stored.manifest.value.protocol;
  return newest === undefined ? undefined : maxGapHours?.(newest);
}

function keptSet({ stored, snapshots }: Expiring): KeptSet {
  const { seq, sealedAt, reason, verdict } = stored.manifest.value;
  const bytes = artifactsOf(stored).reduce((sum, { size }) => sum + size, 0);
  return { seq, sealedAt, reason, verdict: verdict.status, stored, snapshots, bytes };
}
