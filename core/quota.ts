import { LedgerholdError } from './errors.ts';
import type { SnapshotKind } from './snapshots.ts';

/** Manual snapshots in an account and Region. */
export interface SnapshotQuota {
  readonly used: number;
  readonly max: number;
}

export type SnapshotQuotas = Readonly<Record<SnapshotKind, SnapshotQuota>>;

/** How many snapshots a run takes, of each kind. */
export type SnapshotNeeds = Readonly<Record<SnapshotKind, number>>;

/** The snapshots of a run do not fit into the account's quota; nothing was captured. */
export class QuotaReached extends LedgerholdError {
  override readonly name = 'QuotaReached';
  readonly kind = 'refused';
}

/** Throws `QuotaReached` unless every snapshot of the run fits: half a run leaves no set, and takes room all the same. */
export function refuseWithoutRoom(node: string, needs: SnapshotNeeds, quotas: SnapshotQuotas): void {
  const short = (['instance', 'cluster'] as const).flatMap((kind) => {
    const { used, max } = quotas[kind];
    const over = used + needs[kind] - max;
    return needs[kind] === 0 || over <= 0
      ? []
      : [
          `${used} manual snapshots of ${kind}s + ${needs[kind]} of this run = ${max + over}, ${over} over the quota of ${max}`,
        ];
  });
  if (short.length === 0) return;
  throw new QuotaReached(
    `the snapshots of ${node} do not fit into this account and Region: ${short.join('; ')}`,
    'Let the config keep fewer sets and start the retention, or ask Service Quotas for more manual snapshots of RDS.',
  );
}
