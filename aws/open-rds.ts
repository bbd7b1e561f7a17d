import { RDSClient } from '@aws-sdk/client-rds';
import type { SnapshotCopies } from '../core/rds-restore.ts';
import { snapshotCopies } from './rds-restores.ts';

/** Credentials and, if absent, the Region come from where the SDK looks for them. */
export const openSnapshotCopies = (region?: string): SnapshotCopies =>
  snapshotCopies(new RDSClient(region === undefined || region === '' ? {} : { region }));
