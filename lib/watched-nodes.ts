import type { CaptureSources } from '../lambdas/start-capture/sources.ts';
import type { WatchedNode } from '../lambdas/watchdog/contract.ts';
import type { BackupNode } from './backup-nodes.ts';

/** What the watchdog expects of the nodes that are scheduled. */
export const watchedNodes = (
  nodes: readonly BackupNode[],
  captures: CaptureSources,
  timeZone: string,
): readonly WatchedNode[] =>
  nodes
    .filter(({ enabled }) => enabled)
    .map(({ run: { node, components }, everySeconds }) => ({
      ...{ node, everySeconds, timeZone },
      components: components.map(({ component }) => component),
      credentials: Object.values(captures[node] ?? {}).flatMap((source) =>
        'identities' in source ? [source.identities.auth.clientSecretArn] : [],
      ),
    }));

/** Whether any component is captured as a snapshot. */
export const hasSnapshots = (captures: CaptureSources): boolean =>
  Object.values(captures).some((components) => Object.values(components).some((source) => 'rds' in source));
