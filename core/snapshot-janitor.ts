import { LedgerholdError } from './errors.ts';
import type { SnapshotKind } from './snapshots.ts';

/** A snapshot in RDS that is ours: its name begins as ours do, and its tags say of which attempt it is. */
export interface OwnSnapshot {
  readonly kind: SnapshotKind;
  readonly id: string;
  /** As RDS says it, such as `available`. */
  readonly status: string;
  readonly slot: string;
  readonly fence: number;
}

/** `gone`: there was none any more. `busy`: RDS will not delete it now, such as while it is made or copied. */
export type SnapshotRemoval = 'removed' | 'gone' | 'busy';

/** The right to see and delete a network's snapshots, held apart so that only retention can be given it. */
export interface SnapshotJanitor {
  /** All manual ones of a node. Rejects with `SnapshotsUnavailable`: half a list would pass for damage. */
  list(node: string): Promise<readonly OwnSnapshot[]>;
  /** May be repeated. Rejects with `SnapshotsUnavailable`. */
  remove(snapshot: OwnSnapshot): Promise<SnapshotRemoval>;
}

/** The state in which a set can be restored from a snapshot. */
export const isWhole = ({ status }: OwnSnapshot): boolean => status === 'available';

/** By its key: does an artifact stand for a snapshot? Manifests name keys and digests, and not what lies in them. */
export const isReference = ({ key }: { readonly key: string }): boolean => key.endsWith('.snapshot.json');

/** RDS did not say what snapshots there are, or did not delete one. */
export class SnapshotsUnavailable extends LedgerholdError {
  override readonly name = 'SnapshotsUnavailable';
  readonly kind = 'external';
}
