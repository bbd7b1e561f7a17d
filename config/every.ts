import { ChainSettings } from '../core/chain-settings.ts';
import { DAY_SECONDS } from '../core/schedule.ts';
import { protocolNamed } from '../protocols/registry.ts';
import type { AnyNode, DatabaseNode, EthereumNode } from './nodes.ts';

/** The time between two runs of a node, in seconds: what the config says, else what the ledger advises. */
export function everySecondsOf(node: AnyNode): number {
  if (node.protocol === 'tessera') return everySecondsOf(node.chain);
  return node.protocol === 'ethereum' ? DAY_SECONDS / node.timesADay : everySecondsOfDatabases(node);
}

/** What holds of a chain until somebody has set it in the vault. */
export const initialSettings = ({ enabled, timesADay }: EthereumNode): ChainSettings =>
  ChainSettings.parse({ enabled, timesADay });

const everySecondsOfDatabases = ({ every, protocol }: DatabaseNode): number =>
  every ?? protocolNamed(protocol).everyHours * 3600;
