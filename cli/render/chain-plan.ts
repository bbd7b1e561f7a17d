import type { EthereumNode } from '../../config/nodes.ts';
import { secondsText, table } from './units.ts';

export interface ChainPlan {
  readonly node: EthereumNode;
  readonly everySeconds: number;
  /** The first block that the next run exports. */
  readonly next: number;
}

export function chainPlanNouns({ node, everySeconds, next }: ChainPlan): object {
  const { name, client, agreement, confirmations, blocksPerFile, compression } = node;
  const validators = node.validators.map((each) => each.name);
  return {
    ...{ node: name, protocol: node.protocol, client, everySeconds, rpoSeconds: everySeconds, next },
    ...{ validators, agreement, confirmations, blocksPerFile, compression },
  };
}

export function chainPlanText({ node, everySeconds, next }: ChainPlan): string[] {
  const { name, client, agreement, confirmations, blocksPerFile, compression, validators } = node;
  const who = validators.map((each) => each.name).join(', ');
  const needed = agreement === 'all' ? 'all of' : `${agreement} of`;
  const every = secondsText(everySeconds);
  return [
    '',
    `${name}  chain, ${client}`,
    ...table([
      ['  agree', `the highest block that ${needed} ${who} call as the monitor does`],
      ...(confirmations === 0 ? [] : [['  wait', `${confirmations} blocks below the monitor’s height`]]),
      [
        '  export',
        `from block ${next} on, each verified, in files of ${blocksPerFile} blocks at most (${compression})`,
      ],
      ['  seal', 'records, evidence and manifest, in a history apart from the sets'],
      ['  every', `${every}: at most the blocks of the last ${every} and of one run are in no file (RPO)`],
    ]),
  ];
}
