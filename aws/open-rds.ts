import type { SnapshotCopies } from '../core/rds-restore.ts';
import { rdsClient } from './rds-client.ts';
import { snapshotCopies } from './rds-restores.ts';

/** Credentials and, if absent, the Region come from where the SDK looks for them. */
export const openSnapshotCopies = (region?: string): SnapshotCopies => snapshotCopies(rdsClient(region));
