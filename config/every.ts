import { DAY_SECONDS } from '../core/schedule.ts';
import { protocolNamed } from '../protocols/registry.ts';
import type { AnyNode, DatabaseNode } from './nodes.ts';

/** The time between two runs of a node, in seconds: what the config says, else what the ledger advises. */
export function everySecondsOf(node: AnyNode): number {
  if (node.protocol === 'tessera') return everySecondsOf(node.chain);
  return node.protocol === 'ethereum' ? DAY_SECONDS / node.timesADay : everySecondsOfDatabases(node);
}

const everySecondsOfDatabases = ({ every, protocol }: DatabaseNode): number =>
  every ?? protocolNamed(protocol).everyHours * 3600;
