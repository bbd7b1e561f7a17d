/**
 * What a CDK app of one's own imports as `ledgerhold/cdk`:
 *
 *     for (const props of backupsOf('ledgerhold.yaml')) new LedgerBackup(stack, `Backup${props.group}`, props);
 */
import { readFileSync } from 'node:fs';
import { parseConfig } from '../config/parse.ts';
import { listenersOf } from './alarm-topics.ts';
import type { LedgerBackupProps } from './ledger-backup.ts';
import { nodeGroups } from './node-groups.ts';
import { hasSnapshots } from './watched-nodes.ts';

export type { VpcPlace } from '../config/nodes.ts';
export type { CaptureSources } from '../lambdas/start-capture/sources.ts';
export type { Listeners } from './alarm-topics.ts';
export type { BackupNode } from './backup-nodes.ts';
export { LedgerBackup, type LedgerBackupProps } from './ledger-backup.ts';
export { Storage } from './storage.ts';
export { Watch } from './watch.ts';

/**
 * What a config asks for, a backup for each group of its nodes; a small network without private networks is one group.
 * Give the `storage` and `watch` of the first to the others. Throws `ConfigInvalid` with every problem.
 */
export function backupsOf(file: string): readonly (LedgerBackupProps & { readonly group: number })[] {
  const config = parseConfig(file, readFileSync(file, 'utf8'));
  const { network, timeZone } = config;
  const groups = nodeGroups(config);
  const snapshots = groups.some(({ captures }) => hasSnapshots(captures));
  const shared = { network, timeZone, listeners: listenersOf(config) };
  return groups.map(({ captures, ...nodes }, index) => ({
    ...{ ...shared, ...nodes, captures, group: index + 1 },
    // Only the first group's turn looks at what there is one of in a network.
    snapshots: index === 0 ? snapshots : hasSnapshots(captures),
  }));
}
