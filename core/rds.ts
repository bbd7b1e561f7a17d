import { LedgerholdError } from './errors.ts';
import { CaptureFailed } from './receipts.ts';

/** RDS gave no answer, or asked for patience: throttling, 5xx, the network. */
export class RdsUnavailable extends LedgerholdError {
  override readonly name = 'RdsUnavailable';
  readonly kind = 'external';
  constructor(what: string, why: string, options?: ErrorOptions) {
    super(`RDS gave no answer for ${what}: ${why}`, 'Try again.', options);
  }
}

/** The source is in the middle of something, such as its own backup window; it will be ready by itself. */
export class DatabaseBusy extends CaptureFailed {
  override readonly name = 'DatabaseBusy';
  constructor(source: string, status: string, options?: ErrorOptions) {
    super(
      `${source} takes no snapshot now: it is ${status}`,
      'Wait until it is available, or end what it is doing; then run the backup again.',
      options,
    );
  }
}

/** The source cannot be captured, and will not be by waiting. */
export class SourceUnusable extends CaptureFailed {
  override readonly name = 'SourceUnusable';
  override readonly kind = 'usage';
}

/** A snapshot of ours did not become what it was to be. */
export class SnapshotFailed extends CaptureFailed {
  override readonly name = 'SnapshotFailed';
}

/** RDS says something that this version does not know: never read as success, and never waited on. */
export class UnknownStatus extends CaptureFailed {
  override readonly name = 'UnknownStatus';
  override readonly kind = 'unknown';
  constructor(what: string, status: string) {
    super(
      `${what} has the status "${status}", which this version does not know`,
      'Look at it in RDS; if that status is a healthy one, report it.',
    );
  }
}

/** Statuses as the RDS User Guide lists them, "Viewing DB instance status" and "… DB cluster status", November 2026. */
const READY = ['available', 'storage-optimization'];
const BUSY = [
  ...['backing-up', 'creating', 'modifying', 'rebooting', 'renaming', 'starting', 'upgrading', 'maintenance'],
  ...['configuring-enhanced-monitoring', 'configuring-iam-database-auth', 'configuring-log-exports', 'promoting'],
  ...['converting-to-vpc', 'moving-to-vpc', 'resetting-master-credentials', 'storage-config-upgrade', 'failing-over'],
  ...['storage-initialization', 'delete-precheck', 'update-iam-db-auth', 'scaling-compute', 'migrating'],
];
const UNUSABLE = [
  ...['deleting', 'failed', 'stopped', 'stopping', 'inaccessible-encryption-credentials', 'storage-full'],
  ...[
    'inaccessible-encryption-credentials-recoverable',
    'incompatible-create',
    'incompatible-network',
    'restore-error',
  ],
  ...['incompatible-option-group', 'incompatible-parameters', 'incompatible-restore', 'insufficient-capacity'],
  ...['cloning-failed', 'migration-failed', 'preparing-data-migration'],
];

/** Throws `DatabaseBusy`, `SourceUnusable` or `UnknownStatus` unless a source of this status takes a snapshot now. */
export function assertReady(source: string, status: string): void {
  if (READY.includes(status)) return;
  if (BUSY.includes(status)) throw new DatabaseBusy(source, status);
  if (!UNUSABLE.includes(status)) throw new UnknownStatus(source, status);
  throw new SourceUnusable(`${source} cannot be captured: it is ${status}`, REMEDIES[status] ?? 'Look at it in RDS.');
}

const KEY = 'Enable the KMS key it is encrypted with, and the grant of RDS on it.';
const REMEDIES: Readonly<Record<string, string>> = {
  stopped: 'Start it: a stopped database holds nothing that its node has done since.',
  deleting: 'Name the database that the node uses now.',
  'inaccessible-encryption-credentials': KEY,
  'inaccessible-encryption-credentials-recoverable': KEY,
};

const FAILED = ['failed', 'deleting', 'deleted', 'incompatible-parameters', 'inaccessible-encryption-credentials'];

/** True when a snapshot is whole, false while it is being made. Throws `SnapshotFailed` or `UnknownStatus`. */
export function isAvailable(snapshot: string, status: string): boolean {
  if (status === 'available') return true;
  if (status === 'creating') return false;
  if (!FAILED.includes(status)) throw new UnknownStatus(`snapshot ${snapshot}`, status);
  throw new SnapshotFailed(
    `snapshot ${snapshot} is ${status}`,
    'Look at the events of its database in RDS; the next run makes a new one.',
  );
}

/** A whole snapshot of terabytes, the first of its database, takes less. */
export const LONGEST_SNAPSHOT_SECONDS = 4 * 3600;
/** Increments are made in minutes; one that stands still for so long is worth a look. */
export const STILL_SECONDS = 45 * 60;

/** Throws `SnapshotFailed` when it has taken too long. Seconds since it was asked for. */
export function refuseStuck(snapshot: string, seconds: number): void {
  if (seconds <= LONGEST_SNAPSHOT_SECONDS) return;
  throw new SnapshotFailed(
    `snapshot ${snapshot} is not available ${Math.floor(seconds / 60)} minutes after it was asked for`,
    'Look at it in RDS; delete it if it is stuck. The next run makes a new one.',
  );
}

/** A quarter of what it has taken so far, from 15 s to 5 min: few looks at a long one, little lost on a short one. */
export const pauseSeconds = (elapsed: number): number => Math.min(300, Math.max(15, Math.round(elapsed / 4)));
