import type { Config } from '../config/schema.ts';
import { type RetainableSet, type Retained, retention } from '../core/retention.ts';
import type { StoredSet } from '../vault/sets.ts';
import { dayIn, weekIn } from './calendar.ts';

export interface RetainedSet extends RetainableSet {
  readonly stored: StoredSet;
}

/** What retention says of each set that has not expired, newest first, and why. Nothing is removed here. */
export function retained(sets: readonly StoredSet[], config: Config, now: Date): Retained<RetainedSet>[] {
  const { timeZone, retention: policy = {} } = config;
  const kept = sets.filter(({ tombstone }) => tombstone === undefined);
  return retention(
    kept.map((stored) => {
      const { seq, sealedAt, reason, verdict } = stored.manifest.value;
      return { seq, sealedAt, reason, verdict: verdict.status, stored };
    }),
    { ...policy, dayOf: dayIn(timeZone), weekOf: weekIn(timeZone) },
    now,
    { inUse: new Map() },
  );
}
