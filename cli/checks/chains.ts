import type { EthereumNode } from '../../config/nodes.ts';
import type { ChainNode } from '../../protocols/ethereum/chain-node.ts';
import { chainNodesOf } from '../chain-source.ts';
import { type Check, type CheckContext, type Finding, fail, findingsOf, ok } from './check.ts';

/** Every node of a chain answers, is of the same chain, and the monitor gives its blocks out whole. */
export const chainsCheck: Check = {
  id: 'chains',
  title: 'chains',
  run: async (context) => {
    const findings: Finding[] = [];
    for (const node of context.chains) findings.push(...(await checkChain(context, node)));
    return findings;
  },
};

async function checkChain({ loaded, shell: { signal, warn } }: CheckContext, node: EthereumNode): Promise<Finding[]> {
  const { monitor, validators } = await chainNodesOf(loaded, node, warn);
  const findings: Finding[] = [];
  let genesis: string | undefined;
  findings.push(
    ...(await findingsOf(async () => {
      [genesis] = await monitor.hashes([0], signal);
      const head = await monitor.head(signal);
      return [ok(`${node.name}: ${monitor.name} is at block ${head}`)];
    })),
    ...(await findingsOf(async () => {
      for await (const _ of monitor.blocks(0, 0, signal)) break;
      return [ok(`${node.name}: ${monitor.name} gives blocks out whole, from genesis on`)];
    })),
  );
  for (const validator of validators) {
    findings.push(...(await findingsOf(() => checkValidator(node, validator, genesis, signal))));
  }
  return findings;
}

async function checkValidator(
  { name }: EthereumNode,
  validator: ChainNode,
  genesis: string | undefined,
  signal: AbortSignal,
): Promise<Finding[]> {
  const [own] = await validator.hashes([0], signal);
  const head = await validator.head(signal);
  if (genesis === undefined || own === genesis) return [ok(`${name}: ${validator.name} is at block ${head}`)];
  const text = `${name}: ${validator.name} is of another chain: its genesis is ${own ?? 'not there'}, the monitor’s ${genesis}`;
  return [fail(text, 'Correct its address; a validator of another chain agrees to nothing.')];
}
