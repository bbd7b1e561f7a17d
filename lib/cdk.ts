/**
 * What a CDK app of one's own imports as `ledgerhold/cdk`:
 *
 *     const [first, ...others] = backupsOf('ledgerhold.yaml');
 *     const { storage, watch } = new LedgerBackup(stack, 'Backup', first);
 *     for (const props of others) new LedgerBackup(anotherStack, 'Backup', { ...props, storage, watch });
 *     for (const props of chainsOf('ledgerhold.yaml')) new ChainBackup(one, props.chain.node, { ...props, storage, watch });
 *     const delivery = deliveryOf('ledgerhold.yaml');
 *     if (delivery !== undefined) new Delivery(stack, 'Delivery', { ...delivery, storage, watch });
 */
import { readFileSync } from 'node:fs';
import { parseConfig } from '../config/parse.ts';
import { backupProps, type GroupProps } from './backup-props.ts';
import type { ChainBackupProps } from './chain-backup.ts';
import { chainNodes } from './chain-nodes.ts';
import type { DeliveryProps } from './delivery.ts';
import { hasMembers } from './delivery-stack.ts';
import type { MemberApiProps } from './member-api.ts';
import { memberAccounts, memberApiOf as memberApiIn } from './member-list.ts';

export type { BackupNode } from '../config/backup-nodes.ts';
export type { VpcPlace } from '../config/nodes.ts';
export type { CaptureSources } from '../core/capture-sources.ts';
export type { Listeners } from './alarm-topics.ts';
export type { GroupProps } from './backup-props.ts';
export { ChainBackup, type ChainBackupProps } from './chain-backup.ts';
export { Delivery, type DeliveryProps } from './delivery.ts';
export { LedgerBackup, type LedgerBackupProps } from './ledger-backup.ts';
export { MemberApi, type MemberApiProps } from './member-api.ts';
export { MemberBucket, type MemberBucketProps } from './member-bucket.ts';
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

/** The chains that a config names; `storage` and `watch` are those of the first backup. Throws as `backupsOf` does. */
export function chainsOf(file: string): readonly Omit<ChainBackupProps, 'storage' | 'watch'>[] {
  const config = parseConfig(file, readFileSync(file, 'utf8'));
  const { network, timeZone } = config;
  const groups = backupProps(config).length;
  const members = hasMembers(config);
  return chainNodes(config).map((chain, n) => ({ network, timeZone, chain, group: groups + 1 + n, members }));
}

/** What delivers to a config's members; undefined: none of them has an account. Throws as `backupsOf` does. */
export function deliveryOf(file: string): Pick<DeliveryProps, 'accounts'> | undefined {
  const config = parseConfig(file, readFileSync(file, 'utf8'));
  return hasMembers(config) ? { accounts: memberAccounts(config) } : undefined;
}

/** What a config says of the API of its members; undefined: none has an account, or `aws` is missing. Throws as `backupsOf` does. */
export const memberApiOf = (file: string): Omit<MemberApiProps, 'storage'> | undefined =>
  memberApiIn(parseConfig(file, readFileSync(file, 'utf8')));
