import * as z from 'zod';
import { RdsAddress } from '../../core/capture-sources.ts';
import { KmsUnavailable } from '../../core/kms.ts';
import { QuotaReached } from '../../core/quota.ts';
import { RdsUnavailable, SourceUnusable, UnknownStatus } from '../../core/rds.ts';
import { Run } from '../../core/run.ts';
import { SnapshotsUnavailable } from '../../core/snapshot-janitor.ts';
import { defineStep } from '../../core/step.ts';

/** By node the databases that a run takes snapshots of; a node without any is not in it. */
export const SnapshotsByNode = z.record(z.string(), z.array(RdsAddress));
export type SnapshotsByNode = z.infer<typeof SnapshotsByNode>;

/**
 * Refuses a run before anything of it is captured: if one of its databases cannot be captured by a snapshot that is of
 * use, or the account's quota has no room for all of them. It frees nothing: the right to delete is the retention's
 * alone. `SNAPSHOTS` is a `SnapshotsByNode` as JSON; `COPIED_ELSEWHERE` as of `start-capture`.
 */
export const preflight = defineStep({
  name: 'preflight',
  env: ['SNAPSHOTS', 'COPIED_ELSEWHERE'],
  input: z.strictObject({ run: Run }),
  /** Snapshots that the run takes; with 0 nobody was asked. */
  output: z.strictObject({ snapshots: z.int().min(0) }),
  errors: [KmsUnavailable, QuotaReached, RdsUnavailable, SnapshotsUnavailable, SourceUnusable, UnknownStatus],
});
