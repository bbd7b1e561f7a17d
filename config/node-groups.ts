import type { CaptureSources } from '../core/capture-sources.ts';
import { CAPTURES_LIMIT, captureBytes } from '../core/capture-sources.ts';
import { type BackupNode, backupNodes } from './backup-nodes.ts';
import { captureSources, type FargateNode, fargateNodes } from './capture-sources.ts';
import type { DatabaseNode, VpcPlace } from './nodes.ts';
import { isDatabaseNode } from './order.ts';
import type { Config } from './schema.ts';

/** Nodes that share steps, a state machine and a stack. */
export interface NodeGroup {
  readonly nodes: readonly BackupNode[];
  readonly captures: CaptureSources;
  /** Where all of them are reached from. */
  readonly vpc: VpcPlace | undefined;
  /** By node: where and how large its dump tasks run. */
  readonly fargate: Readonly<Record<string, FargateNode>>;
}

/**
 * Of the 500 that CloudFormation takes, 350 are for nodes: the vault, the steps and what watches them take less than
 * 150. A node takes up to 10 (its schedule and alarms), 6 more where it has dump tasks, and each of its components up to 2.
 */
const ROOM = 350;
const resourcesOf = (group: NodeGroup): number =>
  group.nodes.reduce((sum, { run }) => sum + 10 + 2 * run.components.length, 0) + 6 * Object.keys(group.fargate).length;

/**
 * Packs nodes, in the order of the config, into groups that fit a stack and a Lambda's environment; only nodes of one
 * private network share a group. Each goes into the newest group of its network or opens the next one, so that a node
 * that is added at the end moves nobody. There is always a first group.
 */
export function nodeGroups(config: Config): readonly NodeGroup[] {
  const captures = captureSources(config);
  const tasks = fargateNodes(config);
  const places = new Map(config.nodes.filter(isDatabaseNode).map((node) => [node.name as string, node.vpc]));
  const groups: NodeGroup[] = [];
  for (const node of backupNodes(config)) {
    const { node: name } = node.run;
    const fargate = tasks[name] === undefined ? {} : { [name]: tasks[name] };
    const alone = { nodes: [node], captures: { [name]: captures[name] ?? {} }, vpc: places.get(name), fargate };
    const at = groups.findLastIndex(({ vpc }) => samePlace(vpc, alone.vpc));
    const together = groups[at] && joined(groups[at], alone);
    if (together !== undefined && fits(together)) groups[at] = together;
    else groups.push(alone);
  }
  return groups.length === 0 ? [{ nodes: [], captures: {}, vpc: undefined, fargate: {} }] : groups;
}

const joined = (group: NodeGroup, { nodes, captures, vpc, fargate }: NodeGroup): NodeGroup => ({
  nodes: [...group.nodes, ...nodes],
  captures: { ...group.captures, ...captures },
  vpc,
  fargate: { ...group.fargate, ...fargate },
});

const fits = (group: NodeGroup): boolean =>
  captureBytes(group.captures, Object.keys(group.fargate).length) <= CAPTURES_LIMIT && resourcesOf(group) <= ROOM;

const samePlace = (one: DatabaseNode['vpc'], other: DatabaseNode['vpc']): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
