import type { Progress } from '../../core/ports.ts';
import { bytesText, secondsText } from './units.ts';

/** Live progress of several named things, each begun, updated and ended once. */
export interface ProgressView {
  begin(name: string): void;
  update(name: string, progress: Progress, rate?: number): void;
  end(name: string, result: string): void;
  fail(name: string, why: string): void;
  /** Ends the view; what has not begun is left as it is. */
  close(): Promise<void>;
}

/** A line for a log at most this often for each thing: a dump of hours must not fill a disk. */
const LINE_EVERY_MS = 10_000;

/** Lines, for what is not a terminal. */
export function plainProgress(
  say: (line: string) => void,
  names: readonly string[],
  now: () => number = performance.now.bind(performance),
): ProgressView {
  const width = Math.max(0, ...names.map((name) => name.length));
  const line = (name: string, text: string) => say(`${name.padEnd(width)}  ${text}`);
  const last = new Map<string, number>();
  return {
    begin: (name) => {
      last.set(name, now());
      line(name, 'started');
    },
    update: (name, progress, rate) => {
      if (now() - (last.get(name) ?? 0) < LINE_EVERY_MS) return;
      last.set(name, now());
      line(name, progressText(progress, rate));
    },
    end: (name, result) => line(name, result),
    fail: (name, why) => line(name, `failed: ${why}`),
    close: async () => {},
  };
}

/** `1.2 GB of 3.4 GB, 35 %, 120 MB/s, 18 s left`, as far as it is known. */
export function progressText({ bytes, of, message }: Progress, rate?: number): string {
  const known = of !== undefined && of > 0;
  const left = known && rate !== undefined && rate > 0 && of > bytes ? (of - bytes) / rate : undefined;
  return [
    // The size of a database is an estimate of its dump's: never promise more than is there.
    known ? `${bytesText(bytes)} of about ${bytesText(of)}` : bytesText(bytes),
    ...(rate === undefined ? [] : [`${bytesText(rate)}/s`]),
    ...(left === undefined ? [] : [`about ${secondsText(left)} left`]),
    ...(message === undefined ? [] : [message]),
  ].join(', ');
}
