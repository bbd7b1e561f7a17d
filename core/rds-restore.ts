import type { Target } from './restore-plan.ts';
import { TAG } from './snapshots.ts';

export type RdsTarget = Extract<Target, { kind: 'rds' }>;

/** Where a restored database can be reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What has the name that a restore is to give, as RDS describes it. */
export interface FoundCopy {
  /** In the service's own words. */
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly endpoint?: Endpoint;
  /** Of a cluster: its instances. Without one an Aurora cluster cannot be reached. */
  readonly members: readonly { readonly id: string; readonly status: string }[];
}

/** What bears witness that an instance or cluster is this plan's, whoever runs it how often. */
export const restoreTags = (set: { readonly manifest: string }, { snapshot }: RdsTarget): Record<string, string> => ({
  'ledgerhold:restored-from': set.manifest,
  'ledgerhold:restored-component': snapshot.component,
  'ledgerhold:restored-node': `${snapshot.network}/${snapshot.node}`,
});

export type CopyStep =
  | { readonly next: 'restore' }
  /** A cluster is there and available, and no instance is in it. */
  | { readonly next: 'add-instance' }
  | { readonly next: 'wait'; readonly status: string }
  | { readonly next: 'done'; readonly endpoint: Endpoint }
  /** Something else has the name. */
  | { readonly next: 'taken' }
  | { readonly next: 'failed'; readonly status: string };

/** On the way to `available`, by the service's documentation; any other status is a failure, not a reason to wait. */
const GOING_ON = [
  ...['creating', 'backing-up', 'modifying', 'rebooting', 'configuring-enhanced-monitoring', 'renaming', 'starting'],
  ...['configuring-iam-database-auth', 'configuring-log-exports', 'resetting-master-credentials', 'upgrading'],
  ...['maintenance', 'storage-config-upgrade', 'storage-initialization', 'migrating', 'preparing-data-migration'],
];
const READY = ['available', 'storage-optimization'];

/** Aurora's storage is the cluster's and its instances are apart; a Multi-AZ cluster brings its own. */
export const needsInstance = ({ snapshot: { kind, engine } }: RdsTarget): boolean =>
  kind === 'cluster' && engine.startsWith('aurora');

/** What is to be done next for one target; `found` is undefined where nothing has its name. */
export function nextStep(target: RdsTarget, tags: Readonly<Record<string, string>>, found?: FoundCopy): CopyStep {
  if (found === undefined) return { next: 'restore' };
  if (Object.entries(tags).some(([name, value]) => found.tags[name] !== value)) return { next: 'taken' };
  for (const { status } of [found, ...found.members]) {
    if (GOING_ON.includes(status)) return { next: 'wait', status };
    if (!READY.includes(status)) return { next: 'failed', status };
  }
  // Only now: RDS refuses an instance in a cluster that is not available yet.
  if (needsInstance(target) && found.members.length === 0) return { next: 'add-instance' };
  return found.endpoint === undefined
    ? { next: 'wait', status: 'available, without an endpoint yet' }
    : { next: 'done', endpoint: found.endpoint };
}

/** Its tags are those that the reference says were given when it was made. */
export const isTheSnapshot = ({ snapshot }: RdsTarget, tags: Readonly<Record<string, string>>): boolean =>
  [...Object.values(TAG), ...Object.keys(snapshot.tags)].every((name) => tags[name] === snapshot.tags[name]);

/** What a restore of snapshots asks of RDS. Rejects with `RdsUnavailable`, `RdsRefused`, and nothing else unless said. */
export interface SnapshotCopies {
  /** Undefined if the snapshot is gone. */
  snapshot(
    target: RdsTarget,
  ): Promise<{ readonly status: string; readonly tags: Readonly<Record<string, string>> } | undefined>;
  /** What has the name of the copy; undefined if nothing has. */
  find(target: RdsTarget): Promise<FoundCopy | undefined>;
  /** Begins to restore the snapshot under the copy's name. Does nothing if the name is taken meanwhile. */
  restore(target: RdsTarget, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Begins to add the first instance to a restored cluster. */
  addInstance(target: RdsTarget, tags: Readonly<Record<string, string>>): Promise<void>;
}
