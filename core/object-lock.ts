import * as z from 'zod';

/** For how long S3 lets nobody remove or change a version of an object, counted from when it was written. */
export const LockPolicy = z.strictObject({
  /** In governance a person with a right of its own may lift a lock; in compliance nobody can, and no account's root. */
  mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
  /** Manifests, tombstones, receipts, keys, drills, and all of a chain's history: what every proof rests on. */
  recordDays: z.int().min(1).max(36_500),
  /** Dumps, identities, references: retention hides what has expired, and the version goes when its lock has run out. */
  artifactDays: z.int().min(1).max(36_500),
});
export type LockPolicy = z.infer<typeof LockPolicy>;

export const DEFAULT_LOCK: LockPolicy = { mode: 'GOVERNANCE', recordDays: 365, artifactDays: 14 };

/**
 * Days for which an object is locked, by its class, which its key tells; undefined for what coordinates and proves
 * nothing, such as leases and the heartbeats of a dump's task: there are many of them, and each is worth little tomorrow.
 */
export function lockDays(key: string, { recordDays, artifactDays }: LockPolicy): number | undefined {
  if (key.includes('/tasks/')) return undefined;
  if (/^sets\/[^/]+\/runs\//.test(key)) return key.includes('/receipts/') ? recordDays : artifactDays;
  return /^(?:format\.json$|keys\/|sets\/|chain\/|drills\/)/.test(key) ? recordDays : undefined;
}
