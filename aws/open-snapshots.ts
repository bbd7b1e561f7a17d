import { RDSClient } from '@aws-sdk/client-rds';
import type { SnapshotJanitor } from '../core/snapshot-janitor.ts';
import { snapshotJanitor } from './snapshot-janitor.ts';

/** The network's snapshots in the account and Region of the environment's credentials. */
export const openSnapshotJanitor = (network: string): SnapshotJanitor => snapshotJanitor(new RDSClient(), network);
