/**
 * What a CDK app of one's own imports as `ledgerhold/cdk`:
 *
 *     const [first, ...others] = backupsOf('ledgerhold.yaml');
 *     const { storage, watch } = new LedgerBackup(stack, 'Backup', first);
 *     for (const props of others) new LedgerBackup(anotherStack, 'Backup', { ...props, storage, watch });
 */
import { readFileSync } from 'node:fs';
import { parseConfig } from '../config/parse.ts';
import { backupProps, type GroupProps } from './backup-props.ts';

export type { VpcPlace } from '../config/nodes.ts';
export type { CaptureSources } from '../lambdas/start-capture/sources.ts';
export type { Listeners } from './alarm-topics.ts';
export type { BackupNode } from './backup-nodes.ts';
export type { GroupProps } from './backup-props.ts';
export { LedgerBackup, type LedgerBackupProps } from './ledger-backup.ts';
export { type SecondPlace } from './second-vault-place.ts';
export { SecondVaultStack } from './second-vault-stack.ts';
export { Storage } from './storage.ts';
export { Watch } from './watch.ts';

/**
 * What a config asks for, a backup for each group of its nodes; a small network without private networks is one group.
 * Give `storage` and `watch` of the first to the others. Throws `ConfigInvalid` with every problem.
 */
export const backupsOf = (file: string): readonly [GroupProps, ...GroupProps[]] =>
  backupProps(parseConfig(file, readFileSync(file, 'utf8')));
