import type { Reason } from './manifest.ts';
import type { Verdict } from './positions.ts';

/** What retention must know of a set. Sets that have expired already are not given. */
export interface RetainableSet {
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly sealedAt: string;
  /** Every reason but `schedule` and `manual` pins the set. */
  readonly reason: Reason;
  readonly verdict: Verdict['status'];
  /** A person has pinned it. */
  readonly pinned?: boolean;
}

/** How many to keep, of one node. Days and weeks are counted back over those that have a set. */
export interface RetentionPolicy {
  readonly keepLast?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  /** Names of an instant's day and week in the config's time zone, such as `2026-11-21` and `2026-W47`. */
  readonly dayOf: (instant: string) => string;
  readonly weekOf: (instant: string) => string;
}

export interface RetentionGuards {
  /** By number of the set: who needs it, such as a restore plan that has not been applied. */
  readonly inUse: ReadonlyMap<number, string>;
  /** A window of pruning: no time between two kept sets may grow longer by dropping what lies between. */
  readonly maxGapHours?: number | undefined;
}

/** All that keeps a set, or why nothing does. */
export interface Retained<S extends RetainableSet = RetainableSet> {
  readonly set: S;
  readonly keep: boolean;
  readonly reasons: readonly string[];
}

/** Decides for every set, newest first. Each rule adds its reason; what has none is dropped. */
export function retention<S extends RetainableSet>(
  sets: readonly S[],
  policy: RetentionPolicy,
  now: Date,
  guards: RetentionGuards,
): Retained<S>[] {
  const newestFirst = sets.toSorted((a, b) => b.seq - a.seq);
  const reasons = new Map(newestFirst.map((set) => [set, [] as string[]]));
  const keep = (set: S, reason: string) => reasons.get(set)?.push(reason);

  keepByPolicy(newestFirst, policy, keep);
  keepByState(newestFirst, now, guards, keep);
  keepByGap(newestFirst, (set) => reasons.get(set)?.length !== 0, guards.maxGapHours, keep);
  return newestFirst.map((set) => {
    const why = reasons.get(set) ?? [];
    return { set, keep: why.length > 0, reasons: why.length > 0 ? why : ['no rule keeps it'] };
  });
}

type Keep<S> = (set: S, reason: string) => void;

function keepByPolicy<S extends RetainableSet>(
  newestFirst: readonly S[],
  policy: RetentionPolicy,
  keep: Keep<S>,
): void {
  const { keepLast, daily, weekly, dayOf, weekOf } = policy;
  if (keepLast === undefined && daily === undefined && weekly === undefined) {
    for (const set of newestFirst) keep(set, 'nothing is said of retention');
  }
  for (const set of newestFirst.slice(0, keepLast ?? 0)) keep(set, `one of the last ${keepLast}`);
  for (const [day, set] of bestOfEach(newestFirst, dayOf).slice(0, daily ?? 0)) keep(set, `the last of ${day}`);
  for (const [week, set] of bestOfEach(newestFirst, weekOf).slice(0, weekly ?? 0)) keep(set, `the last of ${week}`);
}

/** By day or week, newest first: its newest proven set, or its newest if none is proven. */
function bestOfEach<S extends RetainableSet>(
  newestFirst: readonly S[],
  nameOf: (instant: string) => string,
): [string, S][] {
  const best = new Map<string, S>();
  for (const set of newestFirst) {
    const name = nameOf(set.sealedAt);
    const chosen = best.get(name);
    if (chosen === undefined || (chosen.verdict !== 'proven' && set.verdict === 'proven')) best.set(name, set);
  }
  return [...best];
}

function keepByState<S extends RetainableSet>(
  newestFirst: readonly S[],
  now: Date,
  { inUse }: RetentionGuards,
  keep: Keep<S>,
): void {
  const newestGood = newestFirst.find(({ verdict }) => verdict === 'proven');
  for (const set of newestFirst) {
    const user = inUse.get(set.seq);
    if (set === newestGood) keep(set, 'the newest proven set');
    if (set.seq > (newestGood?.seq ?? 0)) keep(set, 'not proven, but no newer set is');
    if (set.reason !== 'schedule' && set.reason !== 'manual') keep(set, `pinned: taken for ${set.reason}`);
    if (set.pinned === true) keep(set, 'pinned');
    if (user !== undefined) keep(set, `in use: ${user}`);
    // A clock is wrong somewhere. What cannot be dated is not dropped.
    if (!(Date.parse(set.sealedAt) <= now.getTime())) keep(set, 'sealed in the future');
  }
}

const HOUR_MS = 3_600_000;

/** Between two kept sets that lie too far apart, keeps as few as make the steps short enough, or all there are. */
function keepByGap<S extends RetainableSet>(
  newestFirst: readonly S[],
  isKept: (set: S) => boolean,
  maxGapHours: number | undefined,
  keep: Keep<S>,
): void {
  if (maxGapHours === undefined) return;
  const reason = `without it, more than ${maxGapHours} h would lie between two kept sets`;
  const near = (newer: S, older: S) => Date.parse(newer.sealedAt) - Date.parse(older.sealedAt) <= maxGapHours * HOUR_MS;
  const kept = [...newestFirst.entries()].filter(([, set]) => isKept(set));
  for (const [i, [olderAt, older]] of kept.entries()) {
    const [newerAt, newer] = kept[i - 1] ?? [olderAt, older];
    let from = newer;
    let between = newestFirst.slice(newerAt + 1, olderAt);
    while (between.length > 0 && !near(from, older)) {
      const reached = Math.max(
        0,
        between.findLastIndex((set) => near(from, set)),
      );
      from = between[reached] ?? from;
      keep(from, reason);
      between = between.slice(reached + 1);
    }
  }
}
