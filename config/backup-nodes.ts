import { ComponentName, type NetworkName } from '../core/names.ts';
import type { AskedRun } from '../core/run.ts';
import { everySecondsOf } from './every.ts';
import type { DatabaseNode } from './nodes.ts';
import { componentsOf, isDatabaseNode } from './order.ts';
import type { Config } from './schema.ts';

/** A node whose runs a schedule starts. */
export interface BackupNode {
  /** All of a run but what tells one from another. */
  readonly run: Omit<AskedRun, 'slot' | 'reason'>;
  /** Between two runs; `core/cron.ts` says which periods EventBridge knows. */
  readonly everySeconds: number;
  /** Whether its schedule fires; a person may start runs of any node. */
  readonly enabled: boolean;
}

/** A snapshot takes minutes: looked at twice a minute, it is seen to have ended soon enough, for a cent a month. */
const POLL_SECONDS = 30;

/** The nodes of a config that the backup's workflow captures, in its order. */
export const backupNodes = ({ network, nodes }: Config): BackupNode[] =>
  nodes.filter(isDatabaseNode).map((node) => backupNode(network, node));

function backupNode(network: NetworkName, node: DatabaseNode): BackupNode {
  const components = componentsOf(node, []).map(({ component, role }) => ({
    component: ComponentName.parse(component),
    role,
  }));
  return {
    run: {
      ...{ network, node: node.name, protocol: node.protocol, components },
      ...{ pollSeconds: POLL_SECONDS, maxSpreadSeconds: node.maxSpread },
    },
    everySeconds: everySecondsOf(node),
    enabled: node.enabled,
  };
}
