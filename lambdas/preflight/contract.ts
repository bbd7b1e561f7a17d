import * as z from 'zod';
import { QuotaReached } from '../../core/quota.ts';
import { Run } from '../../core/run.ts';
import { SnapshotsUnavailable } from '../../core/snapshot-janitor.ts';
import { defineStep } from '../../core/step.ts';

const count = z.int().min(0);
const Needs = z.strictObject({ instance: count, cluster: count });

/** By node how many snapshots a run takes; a node without any is not in it. */
export const SnapshotsByNode = z.record(z.string(), Needs);
export type SnapshotsByNode = z.infer<typeof SnapshotsByNode>;

/**
 * Refuses a run whose snapshots the account's quota has no room for, before anything is captured. It frees nothing: the
 * right to delete is the retention's alone. `SNAPSHOTS` is a `SnapshotsByNode` as JSON.
 */
export const preflight = defineStep({
  name: 'preflight',
  env: ['SNAPSHOTS'],
  input: z.strictObject({ run: Run }),
  /** Snapshots that the run takes; with 0 nobody was asked. */
  output: z.strictObject({ snapshots: count }),
  errors: [QuotaReached, SnapshotsUnavailable],
});
