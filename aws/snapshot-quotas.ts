import { type AccountQuota, DescribeAccountAttributesCommand, type RDSClient } from '@aws-sdk/client-rds';
import type { SnapshotQuota, SnapshotQuotas } from '../core/quota.ts';
import { SnapshotsUnavailable } from '../core/snapshot-janitor.ts';

/** Of manual snapshots in this account and Region, everybody's. Rejects with `SnapshotsUnavailable`. */
export async function snapshotQuotas(client: RDSClient): Promise<SnapshotQuotas> {
  const quotas = await accountQuotas(client);
  return { instance: quotaNamed(quotas, 'ManualSnapshots'), cluster: quotaNamed(quotas, 'ManualClusterSnapshots') };
}

async function accountQuotas(client: RDSClient): Promise<readonly AccountQuota[]> {
  try {
    return (await client.send(new DescribeAccountAttributesCommand({}))).AccountQuotas ?? [];
  } catch (cause) {
    const why = cause instanceof Error ? cause.name : 'no answer';
    throw unknown(`RDS did not tell its quotas: ${why}`, { cause });
  }
}

function quotaNamed(quotas: readonly AccountQuota[], name: string): SnapshotQuota {
  const { Used: used, Max: max } = quotas.find(({ AccountQuotaName }) => AccountQuotaName === name) ?? {};
  if (used === undefined || max === undefined) throw unknown(`RDS does not say how much of ${name} is used`);
  return { used, max };
}

const unknown = (what: string, options?: ErrorOptions): SnapshotsUnavailable =>
  new SnapshotsUnavailable(
    what,
    'Run again later; if it stays so, deploy again: the role of this step may ask.',
    options,
  );
