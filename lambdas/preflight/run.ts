import { refuseWithoutRoom, type SnapshotNeeds, type SnapshotQuotas } from '../../core/quota.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { preflight } from './contract.ts';

export interface PreflightPorts {
  readonly needsOf: (node: string) => SnapshotNeeds | undefined;
  readonly quotas: () => Promise<SnapshotQuotas>;
}

export async function run(
  { run: { node } }: InputOf<typeof preflight>,
  { needsOf, quotas }: PreflightPorts,
): Promise<OutputOf<typeof preflight>> {
  const needs = needsOf(node) ?? { instance: 0, cluster: 0 };
  const snapshots = needs.instance + needs.cluster;
  if (snapshots > 0) refuseWithoutRoom(node, needs, await quotas());
  return { snapshots };
}
