import {
  DescribeAccountAttributesCommand,
  paginateDescribeDBClusterSnapshots,
  paginateDescribeDBSnapshots,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { RdsUnavailable } from '../core/rds.ts';
import { callRds } from './rds-errors.ts';

/** The manual snapshots of a Region that are ours. */
export interface SnapshotShelf {
  /** Names of those that are whole. */
  readonly available: ReadonlySet<string>;
  /** ARNs of the keys that they are encrypted with. */
  readonly keys: ReadonlySet<string>;
}

/** Rejects with `RdsRefused` or `RdsUnavailable`. `prefix`: of the names of ours. A call for every 100 manual snapshots of the account, whosever they are. */
export async function snapshotShelf(client: RDSClient, prefix: string): Promise<SnapshotShelf> {
  const found: { id: string | undefined; status: string | undefined; key: string | undefined }[] = [];
  const manual = { SnapshotType: 'manual', MaxRecords: 100 };
  await callRds('the list of snapshots', async () => {
    for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client }, manual)) {
      found.push(...DBSnapshots.map((each) => described(each.DBSnapshotIdentifier, each.Status, each.KmsKeyId)));
    }
    for await (const { DBClusterSnapshots = [] } of paginateDescribeDBClusterSnapshots({ client }, manual)) {
      found.push(
        ...DBClusterSnapshots.map((each) => described(each.DBClusterSnapshotIdentifier, each.Status, each.KmsKeyId)),
      );
    }
  });
  const ours = found.filter(({ id }) => id?.startsWith(prefix) === true);
  return {
    available: new Set(ours.flatMap(({ id, status }) => (id !== undefined && status === 'available' ? [id] : []))),
    keys: new Set(ours.flatMap(({ key }) => (key === undefined ? [] : [key]))),
  };
}

const described = (id: string | undefined, status: string | undefined, key: string | undefined) => ({
  id,
  status,
  key,
});

const THE_QUOTA = 'the quota of snapshots';
/** As RDS names them: of instances, and of clusters. */
const QUOTAS = ['ManualSnapshots', 'ManualClusterSnapshots'];

/** Percent of the quota of manual snapshots that is used, of the kind that is fuller. */
export async function snapshotQuotaUsed(client: RDSClient): Promise<number> {
  const { AccountQuotas = [] } = await callRds(THE_QUOTA, () => client.send(new DescribeAccountAttributesCommand({})));
  const used = QUOTAS.map((name) => {
    const { Used, Max } = AccountQuotas.find(({ AccountQuotaName }) => AccountQuotaName === name) ?? {};
    if (Used === undefined || Max === undefined || Max <= 0) {
      throw new RdsUnavailable(THE_QUOTA, `it does not say how much of ${name} is used`);
    }
    return (100 * Used) / Max;
  });
  return Math.max(...used);
}
