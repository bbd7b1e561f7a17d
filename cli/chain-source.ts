import type { EthereumNode } from '../config/nodes.ts';
import { readSecret } from '../config/secrets.ts';
import type { ChainSource } from '../protocols/ethereum/chain-source.ts';
import { type ChainAddresses, openChainNodes, openChainSource } from '../protocols/ethereum/open-chain-source.ts';
import type { Loaded } from './context.ts';
import type { Shell } from './shell.ts';

/** A chain as the config names it. Rejects with `SecretMissing`; nothing is called yet. */
export async function chainSourceOf(
  loaded: Loaded,
  node: EthereumNode,
  { clock, warn }: Pick<Shell, 'clock' | 'warn'>,
): Promise<ChainSource> {
  return openChainSource(await addressesOf(loaded, node), clock, warn);
}

/** The same nodes one by one, for whoever looks at each. */
export const chainNodesOf = async (loaded: Loaded, node: EthereumNode, warn: Shell['warn']) =>
  openChainNodes(await addressesOf(loaded, node), warn);

async function addressesOf({ secrets }: Loaded, node: EthereumNode): Promise<ChainAddresses> {
  const at = async (name: string, rpc: EthereumNode['monitor']['rpc']) => ({
    name,
    url: typeof rpc === 'string' ? rpc : await readSecret(rpc, secrets),
  });
  const monitor = await at('the monitor', node.monitor.rpc);
  const validators = await Promise.all(node.validators.map(({ name, rpc }) => at(name, rpc)));
  return { ...node, monitor, validators };
}
