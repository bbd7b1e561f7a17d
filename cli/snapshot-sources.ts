import type { CapturedNode } from '../config/nodes.ts';
import { NotSupportedYet } from './context.ts';
import type { PreparedNode } from './nodes.ts';

/** A component whose state is captured by a snapshot: where it is, in the words of the config. */
export interface SnapshotSource {
  readonly component: string;
  readonly kind: 'instance' | 'cluster';
  readonly id: string;
}

export const snapshotSources = ({ components }: CapturedNode): SnapshotSource[] =>
  Object.entries(components).flatMap(([component, { rds, rdsCluster }]): SnapshotSource[] => {
    if (rds !== undefined) return [{ component, kind: 'instance', id: rds }];
    return rdsCluster === undefined ? [] : [{ component, kind: 'cluster', id: rdsCluster }];
  });

/** For people: the call that a run makes. */
export const snapshotCall = ({ kind, id }: SnapshotSource): string =>
  kind === 'instance' ? `rds:CreateDBSnapshot of ${id}` : `rds:CreateDBClusterSnapshot of ${id}`;

/** Before anything of a run is done on this machine, which takes no snapshots. */
export function refuseSnapshots({ node }: PreparedNode): void {
  const [first] = snapshotSources(node);
  if (first === undefined) return;
  throw new NotSupportedYet(
    `${first.component} of ${node.name} lies in RDS (${first.id}), and snapshots are taken by the deployed workflow alone`,
    'Deploy the stack and start its state machine, or capture it here by dump, with postgres: { url: … }.',
  );
}
