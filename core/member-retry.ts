import { Instant } from './names.ts';

/** Of a member that has failed: how often in a row, and from when on it is tried again. */
export interface Retry {
  readonly failures: number;
  readonly at: Instant;
}

/**
 * After one failure a minute, doubled with each. Nobody wakes in between, but deliveries come by the hour and with each
 * seal: it is counted from some time after one began, and so ends short of an hour, or every second one would be missed.
 */
const retryAfterSeconds = (failures: number): number => Math.min(60 * 2 ** (failures - 1), 50 * 60);

export function retryAfter(before: Retry | null, now: Date): Retry {
  const failures = (before?.failures ?? 0) + 1;
  return { failures, at: Instant.parse(new Date(now.getTime() + retryAfterSeconds(failures) * 1000).toISOString()) };
}

/** Whoever asks has mended it, or wants to see: it is tried with the next delivery. */
export const retryNow = (retry: Retry | null, now: Date): Retry | null =>
  retry === null || Date.parse(retry.at) <= now.getTime() ? retry : { ...retry, at: Instant.parse(now.toISOString()) };
