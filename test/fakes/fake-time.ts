import type { Clock } from '../../core/ports.ts';

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

/** A clock and pauses that pass only when a test says so: from one sleeper's waking to the next, in order. */
export class FakeTime implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  readonly now = (): Date => new Date(this.#now);

  readonly pause = async (seconds: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    const over = Promise.withResolvers<void>();
    const sleeper = { wakesAt: this.#now + seconds * 1000, wake: over.resolve };
    this.#sleepers.add(sleeper);
    const give = () => over.reject(signal?.reason);
    signal?.addEventListener('abort', give, { once: true });
    await over.promise.finally(() => {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener('abort', give);
    });
  };

  /** Lets everything happen that happens until then. */
  async pass(until: string): Promise<void> {
    const end = Date.parse(until);
    for (;;) {
      await settle();
      const next = [...this.#sleepers].sort((a, b) => a.wakesAt - b.wakesAt)[0];
      if (next === undefined || next.wakesAt > end) break;
      this.#now = Math.max(this.#now, next.wakesAt);
      this.#sleepers.delete(next);
      next.wake();
    }
    this.#now = end;
  }
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
