import * as z from 'zod';
import { Instant } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { putDocument, readDocument } from './documents.ts';
import { leasesPrefix } from './layout.ts';

/** When a capture was first seen at a percentage. It lies with the leases: it coordinates, and proves nothing. */
const Seen = z.strictObject({ format: z.literal('ledgerhold/seen/1'), at: Instant });

export interface SeenCapture {
  readonly node: string;
  readonly slot: string;
  readonly fence: number;
  readonly component: string;
}

const seenPrefix = ({ node, slot, fence, component }: SeenCapture): string =>
  `${leasesPrefix(node, slot)}seen/${fence}-${component}/`;

/** Writes down what is seen now, at most 101 times for a capture. Seconds since this percentage was seen first. */
export async function see(vault: Vault, capture: SeenCapture, percent: number, now: Date): Promise<number> {
  const key = `${seenPrefix(capture)}${String(percent).padStart(3, '0')}.json`;
  const at = Instant.parse(now.toISOString());
  const { won } = await putDocument(vault, key, { format: 'ledgerhold/seen/1', at });
  if (won) return 0;
  const first = await readDocument(vault, key, Seen);
  return first === undefined ? 0 : (now.getTime() - Date.parse(first.value.at)) / 1000;
}

/** Seconds that lay at most between two percentages that were seen, or between the last one and `ended`. */
export async function longestPause(vault: Vault, capture: SeenCapture, ended: Date): Promise<number> {
  const times = [ended.getTime()];
  for await (const { key } of vault.list(seenPrefix(capture))) {
    const seen = await readDocument(vault, key, Seen);
    if (seen !== undefined) times.push(Date.parse(seen.value.at));
  }
  return times.sort((a, b) => a - b).reduce((most, at, n) => Math.max(most, at - (times[n - 1] ?? at)), 0) / 1000;
}
