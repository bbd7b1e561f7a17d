import { type RdsAddress, rdsNamed } from '../../core/capture-sources.ts';
import { refuseWithoutRoom, type SnapshotQuotas } from '../../core/quota.ts';
import { DatabaseBusy } from '../../core/rds.ts';
import type { SnapshotKind } from '../../core/snapshots.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { preflight } from './contract.ts';

export interface PreflightPorts {
  readonly sourcesOf: (node: string) => readonly RdsAddress[];
  /** Rejects with why no snapshot of it can be taken now, or be of use: `DatabaseBusy`, `SourceUnusable`, `UnknownStatus`. */
  readonly look: (kind: SnapshotKind, id: string) => Promise<unknown>;
  readonly quotas: () => Promise<SnapshotQuotas>;
}

export async function run(
  { run: { node } }: InputOf<typeof preflight>,
  { sourcesOf, look, quotas }: PreflightPorts,
): Promise<OutputOf<typeof preflight>> {
  const sources = sourcesOf(node).map(rdsNamed);
  if (sources.length === 0) return { snapshots: 0 };
  // One after the other: RDS throttles an account as a whole, and its other users with it.
  for (const { kind, id } of sources) await look(kind, id).catch(unlessBusy);
  const count = (of: SnapshotKind) => sources.filter(({ kind }) => kind === of).length;
  refuseWithoutRoom(node, { instance: count('instance'), cluster: count('cluster') }, await quotas());
  return { snapshots: sources.length };
}

/** The step that starts its capture waits for it, and it may be over by then. */
function unlessBusy(error: unknown): void {
  if (!(error instanceof DatabaseBusy)) throw error;
}
