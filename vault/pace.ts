import { setTimeout as sleep } from 'node:timers/promises';

/** How time passes; tests give one that does not wait. */
export interface Timer {
  /** Milliseconds, never going back. */
  now(): number;
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

const REAL_TIME: Timer = {
  now: () => performance.now(),
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

/** A pause of the source lets that much time's worth of bytes follow at once, and no more. */
const BURST_SECONDS = 0.25;

/** Lets bytes through at a rate: a bucket that fills by time, and that each piece is taken from once it has passed. */
export async function* paced(
  source: AsyncIterable<Uint8Array>,
  bytesPerSecond: number,
  signal?: AbortSignal,
  timer: Timer = REAL_TIME,
): AsyncGenerator<Uint8Array, void> {
  const full = bytesPerSecond * BURST_SECONDS;
  let level = full;
  let filledAt = timer.now();
  for await (const bytes of source) {
    const at = timer.now();
    level = Math.min(full, level + ((at - filledAt) / 1000) * bytesPerSecond) - bytes.length;
    filledAt = at;
    if (level < 0) await timer.wait((-level / bytesPerSecond) * 1000, signal);
    yield bytes;
  }
}
