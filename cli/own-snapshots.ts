import { isDatabaseNode } from '../config/order.ts';
import type { Config } from '../config/schema.ts';
import type { OwnSnapshot } from '../core/snapshot-janitor.ts';
import { protocols } from '../protocols/registry.ts';

/** No two kept sets lie further apart than what a ledger takes a node back after; of another's ledger nothing is known. */
export function maxGapHours(protocol: string): number | undefined {
  const days = protocols.find(({ name }) => name === protocol)?.restore.maxAgeDays;
  return days === undefined ? undefined : days * 24;
}

/** A node's snapshots in the account and Region of the credentials; undefined where none of its databases lie in RDS. */
export async function ownSnapshots(
  { network, nodes }: Config,
  name: string,
): Promise<readonly OwnSnapshot[] | undefined> {
  const node = nodes.find((each) => each.name === name);
  const sources: object[] = node !== undefined && isDatabaseNode(node) ? Object.values(node.components) : [];
  if (!sources.some((source) => 'rds' in source || 'rdsCluster' in source)) return undefined;
  const { openSnapshotJanitor } = await import('../aws/open-snapshots.ts');
  return openSnapshotJanitor(network).list(name);
}
