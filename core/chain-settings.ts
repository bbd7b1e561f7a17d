import * as z from 'zod';
import { Instant, NetworkName, NodeName, Sha256 } from './names.ts';
import { DAY_SECONDS, schedule } from './schedule.ts';

/** Whether a chain's runs are started, and how many times a day. */
export const ChainSettings = z.strictObject({ enabled: z.boolean(), timesADay: z.literal([1, 2, 3, 4]) });
export type ChainSettings = z.infer<typeof ChainSettings>;

/** `settings/<node>/<n>.json`: one version, written once. The newest holds; before the first the configuration does. */
export const StoredSettings = z.strictObject({
  format: z.literal('ledgerhold/settings/1'),
  ...{ network: NetworkName, node: NodeName, n: z.int().min(1) },
  /** SHA-256 of the bytes of version `n - 1`; null for the first. */
  previous: Sha256.nullable(),
  at: Instant,
  /** Who wants it so. */
  by: z.string().min(1).max(300),
  ...ChainSettings.shape,
});
export type StoredSettings = z.infer<typeof StoredSettings>;

/** What a deployed chain's first step goes by: what the configuration says, and where days begin. */
export const ChainTick = z.strictObject({ ...ChainSettings.shape, timeZone: z.string() });
export type ChainTick = z.infer<typeof ChainTick>;

/** A deployed chain is started so often; most of these starts find that nothing is due. */
export const TICK_SECONDS = 3600;

/** What holds, and since when; `since` is null while it is what the configuration says. */
export interface CurrentSettings extends ChainSettings {
  readonly since: string | null;
}

export const everySecondsOf = ({ timesADay }: ChainSettings): number => DAY_SECONDS / timesADay;

/**
 * The newest slot that is due by these settings. Undefined: none is. What was due before they were set is left alone:
 * a change has its effect from the next slot on.
 */
export function dueSlot(settings: CurrentSettings, timeZone: string, now: Date): Date | undefined {
  if (!settings.enabled) return undefined;
  const last = schedule(everySecondsOf(settings), timeZone).last(now);
  return settings.since !== null && last.getTime() < Date.parse(settings.since) ? undefined : last;
}

/** The slot that a start at `at` is for; undefined: none became due since the one before. */
export function slotOfTick(settings: CurrentSettings, timeZone: string, at: Date): Date | undefined {
  const due = dueSlot(settings, timeZone, at);
  return due === undefined || at.getTime() - due.getTime() >= TICK_SECONDS * 1000 ? undefined : due;
}
