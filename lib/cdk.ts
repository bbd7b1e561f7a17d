/**
 * What a CDK app of one's own imports as `ledgerhold/cdk`:
 *
 *     for (const props of backupsOf('ledgerhold.yaml')) new LedgerBackup(stack, `Backup${props.group}`, props);
 */
import { readFileSync } from 'node:fs';
import { parseConfig } from '../config/parse.ts';
import type { LedgerBackupProps } from './ledger-backup.ts';
import { nodeGroups } from './node-groups.ts';

export type { VpcPlace } from '../config/nodes.ts';
export type { CaptureSources } from '../lambdas/start-capture/sources.ts';
export type { BackupNode } from './backup-nodes.ts';
export { LedgerBackup, type LedgerBackupProps } from './ledger-backup.ts';
export { Storage } from './storage.ts';

/**
 * What a config asks for, a backup for each group of its nodes; a small network without private networks is one group.
 * Give the `storage` of the first to the others. Throws `ConfigInvalid` with every problem.
 */
export function backupsOf(file: string): readonly (LedgerBackupProps & { readonly group: number })[] {
  const config = parseConfig(file, readFileSync(file, 'utf8'));
  const { network, timeZone } = config;
  return nodeGroups(config).map((nodes, index) => ({ network, timeZone, group: index + 1, ...nodes }));
}
