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
  /** Milliseconds that others have waited for it so far. */
  waited: number;
}

/** How long the others wait for one, in all: a quarter of a second, and a fiftieth of the time that they are under way. */
const PATIENCE_MS = 250;
const SHARE = 0.02;
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
    const left = Math.min(longest, ...blamed.map(({ waited }) => PATIENCE_MS + SHARE * (from - since) - waited));
    await firstOf(timer, [...awaited.values()], left);
    const late = timer.now() - from;
    const patient = late < longest;
    for (const walker of blamed) walker.waited += late;
    for (const walker of patient ? blamed : [...awaited.keys()]) {
      if (!awaited.has(walker) || (patient && walker.waited < PATIENCE_MS + SHARE * (from - since))) continue;
      awaited.delete(walker);
      walker.fallBehind();
    }
  }
}

const ended = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => {});

/** Ends with the first of them, or after so many milliseconds. */
async function firstOf(timer: Timer, promises: readonly Promise<unknown>[], ms: number): Promise<void> {
  if (!Number.isFinite(ms)) return void (await Promise.race(promises));
  const stop = new AbortController();
  await Promise.race([...promises, ended(timer.after(Math.max(1, ms), stop.signal))]);
  stop.abort();
}
