import { type NodeGroup, nodeGroups } from '../config/node-groups.ts';
import type { Config } from '../config/schema.ts';
import { backupMachineName } from '../core/deployed-names.ts';
import type { Executions } from '../core/executions.ts';
import { NotSupportedYet } from './context.ts';

/** The backups of one node that run on AWS: a large network has several state machines. Opened without a call. */
export async function executionsOf(config: Config, node: string): Promise<Executions> {
  const group = nodeGroups(config).findIndex((each) => holds(each, node)) + 1;
  return open(config, Math.max(1, group));
}

/** Those of the groups that hold any of these nodes. */
export const executionsOfAll = (config: Config, nodes: readonly string[]): Promise<readonly Executions[]> =>
  Promise.all(
    nodeGroups(config).flatMap((group, index) =>
      nodes.some((node) => holds(group, node)) ? [open(config, index + 1)] : [],
    ),
  );

const holds = ({ nodes }: NodeGroup, name: string): boolean => nodes.some(({ run }) => run.node === name);

async function open({ aws, network }: Config, group: number): Promise<Executions> {
  if (aws === undefined) {
    throw new NotSupportedYet('the config does not say where it is deployed', 'Give aws: { account, region }.');
  }
  const { openExecutions } = await import('../aws/executions.ts');
  return openExecutions(aws, backupMachineName(network, group));
}
