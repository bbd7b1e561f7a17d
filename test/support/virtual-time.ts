import type { Clock } from '../../core/ports.ts';
import type { Timer } from '../../vault/abreast.ts';

/** Time that passes only when everything else waits for it, and then at once. */
export class VirtualTime implements Timer {
  #now = 0;
  readonly #waiting = new Set<{ readonly at: number; readonly wake: () => void }>();
  readonly clock: Clock = { now: () => new Date(Date.parse('2026-11-01T00:00:00Z') + this.#now) };

  now(): number {
    return this.#now;
  }

  /** Where nobody is under way. */
  pass(seconds: number): void {
    this.#now += seconds * 1000;
  }

  after(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const give = () => {
      this.#waiting.delete(waiter);
      reject(signal.reason);
    };
    const wake = () => {
      signal.removeEventListener('abort', give);
      resolve();
    };
    const waiter = { at: this.#now + ms, wake };
    signal.addEventListener('abort', give, { once: true });
    this.#waiting.add(waiter);
    return promise;
  }

  /** Lets time pass until the work has ended. Rejects if it never will. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let open = true;
    const close = () => {
      open = false;
    };
    work.then(close, close);
    for (let idle = 0; open; ) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!open) break;
      const next = [...this.#waiting].reduce<{ at: number; wake: () => void } | undefined>(
        (first, each) => (first === undefined || each.at < first.at ? each : first),
        undefined,
      );
      idle = next === undefined ? idle + 1 : 0;
      if (idle > 100) throw new Error('it waits for what never comes');
      if (next === undefined) continue;
      this.#waiting.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    return work;
  }
}
