import { setTimeout } from 'node:timers/promises';

/** Time as it passes while others are waited for: milliseconds from any start. */
export interface Timer {
  now(): number;
  /** Resolves after so many milliseconds, or rejects once `signal` aborts. */
  after(ms: number, signal: AbortSignal): Promise<unknown>;
}

/** Keeps no process alive behind what it is asked for. */
export const machineTimer: Timer = {
  now: () => performance.now(),
  after: (ms, signal) => setTimeout(ms, undefined, { signal }),
};

/** When several set out together, by which timer. */
export interface Outset {
  readonly timer: Timer;
  readonly since: number;
}

/** One of several that go the same way together. */
export interface Walker {
  /** It has been waited for as long as it may be: from now on it goes its own way. */
  fallBehind(): void;
  /** Milliseconds that others have waited for it so far, up to the instant `waitedUntil`. */
  waited: number;
  waitedUntil: number;
}

/**
 * How long the others wait for one, in all: twice as long as for most, and a tenth of a second and a hundredth of the time
 * that they are under way. On one disk each is the last one now and then, and none is slower for it: of five folders one
 * was waited for twice as long as the others.
 */
const TIMES_USUAL = 2;
const PATIENCE_MS = 100;
const SHARE = 0.01;
/** Where most are late none of them is slower than the others; but no wait is longer than this. */
const LONGEST_MS = 30_000;

/**
 * Waits until each is ready; `ready` gives undefined for those that have nothing to wait for. Who keeps the others
 * waiting is charged for it from the moment that half of them are ready, and falls behind once its share is used up.
 */
export async function abreast<W extends Walker>(
  walkers: readonly W[],
  ready: (walker: W) => Promise<unknown> | undefined,
  { timer, since }: Outset,
): Promise<void> {
  const awaited = new Map<W, Promise<unknown>>();
  for (const walker of walkers) {
    const waiting = ready(walker);
    // How it ended is for whoever made it; here it has ended.
    if (waiting !== undefined)
      awaited.set(
        walker,
        ended(waiting).finally(() => awaited.delete(walker)),
      );
  }
  const began = timer.now();
  while (awaited.size > 0) {
    const blamed = awaited.size <= walkers.length / 2 ? [...awaited.keys()] : [];
    const from = timer.now();
    const longest = awaited.size < walkers.length ? began + LONGEST_MS - from : Infinity;
    const most = TIMES_USUAL * usual(walkers) + PATIENCE_MS + SHARE * (from - since);
    await firstOf(timer, [...awaited.values()], Math.min(longest, ...blamed.map(({ waited }) => most - waited)));
    const patient = timer.now() - from < longest;
    for (const walker of blamed) charge(walker, from, timer.now());
    for (const walker of patient ? blamed : [...awaited.keys()]) {
      if (!awaited.has(walker) || (patient && walker.waited < most)) continue;
      awaited.delete(walker);
      walker.fallBehind();
    }
  }
}

/** How long one of the quicker half was waited for, at most. */
function usual(walkers: readonly Walker[]): number {
  const inOrder = walkers.map(({ waited }) => waited).toSorted((a, b) => a - b);
  return inOrder[Math.floor((inOrder.length - 1) / 2)] ?? 0;
}

/** Of several objects on their way at once the time counts once. */
function charge(walker: Walker, from: number, until: number): void {
  walker.waited += Math.max(0, until - Math.max(from, walker.waitedUntil));
  walker.waitedUntil = Math.max(until, walker.waitedUntil);
}

const ended = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => {});

/** Ends with the first of them, or after so many milliseconds. */
async function firstOf(timer: Timer, promises: readonly Promise<unknown>[], ms: number): Promise<void> {
  if (!Number.isFinite(ms)) return void (await Promise.race(promises));
  const stop = new AbortController();
  await Promise.race([...promises, ended(timer.after(Math.max(1, ms), stop.signal))]);
  stop.abort();
}
