import type { RDSClient } from '@aws-sdk/client-rds';
import type { Clock } from '../core/ports.ts';
import { assertReady, DatabaseBusy, SourceUnusable } from '../core/rds.ts';
import type { SnapshotKind } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { describeSource, type RdsSourceFacts } from './rds-describe.ts';
import type { RdsRefused } from './rds-errors.ts';

export interface RdsSource {
  readonly kind: SnapshotKind;
  readonly id: string;
}

export interface RdsReach {
  readonly rds: RDSClient;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Given where snapshots are to be copied elsewhere: is it the default key, which nobody else may use? */
  readonly isDefaultKey?: (kmsKey: string) => Promise<boolean>;
}

/** The source as it is now, if a snapshot of it can be taken and be of use. */
export async function usableSource(
  kind: SnapshotKind,
  id: string,
  { rds, isDefaultKey }: Pick<RdsReach, 'rds' | 'isDefaultKey'>,
  /** Its snapshot is being made already, which is what makes it busy. */
  begun = false,
): Promise<RdsSourceFacts> {
  const found = await describeSource(rds, kind, id);
  if (found === undefined) throw missing(kind, id);
  if (found.memberOf !== undefined) {
    const remedy = `Write rdsCluster: ${found.memberOf} in place of rds: ${id}.`;
    throw new SourceUnusable(`${id} is an instance of the cluster ${found.memberOf}, which has the data`, remedy);
  }
  if (found.replicaOf !== undefined) {
    const why = `${id} is a read replica of ${found.replicaOf}, which may lag behind the others unseen`;
    throw new SourceUnusable(why, 'Name the primary.');
  }
  if (isDefaultKey !== undefined && (found.kmsKey === undefined || (await isDefaultKey(found.kmsKey)))) {
    throw new SourceUnusable(
      `${id} is encrypted with the default key of RDS or not at all, and its snapshots are to be copied elsewhere`,
      'Copy one of its snapshots with a key of your own, and restore the database from that copy.',
    );
  }
  // Last: what heals by waiting hides nothing that does not.
  if (!begun) assertReady(id, found.status);
  return found;
}

const missing = (kind: SnapshotKind, id: string): SourceUnusable =>
  new SourceUnusable(
    `RDS has no ${kind} ${id} in this account and Region`,
    kind === 'instance'
      ? 'Correct `rds`; a cluster is named with `rdsCluster`.'
      : 'Correct `rdsCluster`; an instance is named with `rds`.',
  );

/** What RDS does not want to do, by what a person does about it. */
export function refusalOf(source: string, error: RdsRefused): Error {
  const { code } = error;
  if (/^InvalidDB(Instance|Cluster|ClusterSnapshot)State$/.test(code)) {
    return new DatabaseBusy(source, 'in a state in which RDS takes none', { cause: error });
  }
  if (code === 'SnapshotQuotaExceeded') {
    return new SourceUnusable(
      `the account may hold no more snapshots, so none of ${source} can be taken`,
      'Have the quota raised, keep fewer sets, or delete manual snapshots that nobody needs.',
    );
  }
  if (code === 'KMSKeyNotAccessible') {
    return new SourceUnusable(
      `RDS cannot use the KMS key that ${source} is encrypted with`,
      'Enable the key, or cancel its deletion, and see that its policy lets RDS use it.',
    );
  }
  return error;
}
