import { nodeGroups } from '../config/node-groups.ts';
import type { Config } from '../config/schema.ts';
import type { LockPolicy } from '../core/object-lock.ts';
import { listenersOf } from './alarm-topics.ts';
import type { LedgerBackupProps } from './ledger-backup.ts';
import { secondPlaceOf } from './second-vault-place.ts';
import { hasSnapshots } from './watched-nodes.ts';

/** What one group of a network's nodes is deployed with, but for what it has of the first group. */
export type GroupProps = Omit<LedgerBackupProps, 'storage' | 'watch'> & { readonly group: number };

/** What a config asks for, by group of its nodes; only the first knows of the whole network. */
export function backupProps(config: Config): readonly [GroupProps, ...GroupProps[]] {
  const { network, timeZone, retention = {} } = config;
  const [listeners, lock] = [listenersOf(config), lockOf(config)];
  const groups = nodeGroups(config);
  const snapshots = groups.some(({ captures }) => hasSnapshots(captures));
  const secondVault = secondPlaceOf(config);
  const copiedElsewhere = secondVault !== undefined;
  const [first, ...others] = groups.map((nodes, index) => {
    const shared = { network, timeZone, group: index + 1, retention, listeners, copiedElsewhere };
    return { ...shared, ...(lock && { lock }), ...nodes, ...(index === 0 && { snapshots, secondVault }) };
  });
  if (first === undefined) throw new RangeError('a network has at least one group of nodes, be it empty');
  return [first, ...others];
}

const lockOf = ({ aws }: Config): LockPolicy | undefined =>
  aws?.objectLock && {
    mode: aws.objectLock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
    recordDays: aws.objectLock.records,
    artifactDays: aws.objectLock.artifacts,
  };
