import { withoutSecrets } from '../config/secrets.ts';
import type { Facts } from '../core/facts.ts';
import { ComponentName } from '../core/names.ts';
import type { Endpoint, SnapshotCopies } from '../core/rds-restore.ts';
import type { RestorePlan } from '../core/restore-plan.ts';
import { connectionOf } from '../io/postgres/connection.ts';
import { factsOf } from '../io/postgres/restore.ts';
import { rdsTargets, type SnapshotRestoreOptions } from '../local/restore-snapshots.ts';
import { pause } from '../local/timers.ts';
import type { Loaded } from './context.ts';
import { type PreparedNode, sourceOf } from './nodes.ts';
import type { Shell } from './shell.ts';

/** RDS in the Region of the plan's snapshots. */
export async function copiesFor(plan: RestorePlan): Promise<SnapshotCopies> {
  const [arn = ''] = rdsTargets(plan).map(([, { snapshot }]) => snapshot.arn);
  const { openSnapshotCopies } = await import('../aws/open-rds.ts');
  return openSnapshotCopies(arn.split(':')[3]);
}

/** What a restore of snapshots needs beside the proof of its set. */
export function snapshotPorts(
  shell: Shell,
  loaded: Loaded,
  { node }: PreparedNode,
): Pick<SnapshotRestoreOptions, 'pause' | 'ask'> {
  return {
    pause: (seconds, signal = shell.signal) => pause(seconds, signal),
    ask: async (component, at, queries): Promise<Facts | undefined> => {
      const positions = node.components[ComponentName.parse(component)]?.positions;
      if (positions === undefined) return undefined;
      const source = await sourceOf(loaded, positions);
      const moved = { ...source, url: movedTo(source.url, at) };
      const environment = withoutSecrets(shell.env, loaded.config);
      return factsOf(moved, connectionOf(moved).database, queries, { environment });
    },
  };
}

/** User, password and database stay; where they are asked is the restored copy. */
function movedTo(url: string, { host, port }: Endpoint): string {
  const moved = new URL(url);
  moved.hostname = host;
  moved.port = String(port);
  return moved.href;
}
