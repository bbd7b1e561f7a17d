import type { BackupNode } from '../config/backup-nodes.ts';
import type { CaptureSources } from '../core/capture-sources.ts';
import { identitiesSecretName } from '../core/deployed-names.ts';
import type { WatchedNode } from '../lambdas/watchdog/contract.ts';

/** What the watchdog expects of the nodes that are scheduled. */
export const watchedNodes = (
  nodes: readonly BackupNode[],
  captures: CaptureSources,
  timeZone: string,
): readonly WatchedNode[] =>
  nodes
    .filter(({ enabled }) => enabled)
    .map(({ run: { network, node, components }, everySeconds }) => ({
      ...{ node, everySeconds, timeZone },
      components: components.map(({ component }) => component),
      credentials: Object.values(captures[node] ?? {}).flatMap((source) =>
        'identities' in source ? [source.identities.auth.clientSecretArn] : [],
      ),
      // By its name, not its ARN: that of another group's stack would tie the two stacks to each other.
      ...(hasIdentities(captures[node] ?? {}) && { identities: identitiesSecretName(network, node) }),
    }));

const hasIdentities = (components: CaptureSources[string]): boolean =>
  Object.values(components).some((source) => 'identities' in source);

/** Whether any component is captured as a snapshot. */
export const hasSnapshots = (captures: CaptureSources): boolean =>
  Object.values(captures).some((components) => Object.values(components).some((source) => 'rds' in source));
