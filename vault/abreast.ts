import { setTimeout } from 'node:timers/promises';

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

/**
 * Waits until each is ready. Who keeps the others waiting is charged for it from the moment that half of them are
 * ready, and falls behind once its share is used up. `since` is when they set out (`performance.now()`).
 */
export async function abreast<W extends Walker>(
  walkers: readonly W[],
  ready: (walker: W) => Promise<unknown> | undefined,
  since: number,
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
  while (awaited.size > 0) {
    const blamed = awaited.size <= walkers.length / 2 ? [...awaited.keys()] : [];
    const from = performance.now();
    const left = Math.min(...blamed.map(({ waited }) => PATIENCE_MS + SHARE * (from - since) - waited));
    await firstOf([...awaited.values()], left);
    const late = performance.now() - from;
    for (const walker of blamed) {
      walker.waited += late;
      if (!awaited.has(walker) || walker.waited < PATIENCE_MS + SHARE * (from - since)) continue;
      awaited.delete(walker);
      walker.fallBehind();
    }
  }
}

const ended = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => {});

/** Ends with the first of them, or after so many milliseconds; the timer keeps no process alive behind it. */
async function firstOf(promises: readonly Promise<unknown>[], ms: number): Promise<void> {
  if (!Number.isFinite(ms)) return void (await Promise.race(promises));
  const stop = new AbortController();
  await Promise.race([...promises, ended(setTimeout(Math.max(1, ms), undefined, { signal: stop.signal }))]);
  stop.abort();
}
