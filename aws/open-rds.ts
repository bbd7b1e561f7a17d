import { KMSClient } from '@aws-sdk/client-kms';
import type { SnapshotCopies } from '../core/rds-restore.ts';
import { defaultKeyOf } from './kms-default-key.ts';
import { rdsClient } from './rds-client.ts';
import type { RdsSourceFacts } from './rds-describe.ts';
import { snapshotCopies } from './rds-restores.ts';
import { type RdsSource, usableSource } from './rds-source.ts';

/** Credentials and, if absent, the Region come from where the SDK looks for them. */
export const openSnapshotCopies = (region?: string): SnapshotCopies => snapshotCopies(rdsClient(region));

/** Looks sources up as a start would, and takes nothing. Rejects as `usableSource`. */
export function openSourceLook(): (source: RdsSource, copied: boolean) => Promise<RdsSourceFacts> {
  const rds = rdsClient();
  const isDefaultKey = defaultKeyOf(new KMSClient());
  return ({ kind, id }, copied) => usableSource(kind, id, { rds, ...(copied && { isDefaultKey }) });
}
