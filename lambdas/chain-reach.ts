import { readSecretValue } from '../aws/read-secret.ts';
import type { ChainSource } from '../protocols/ethereum/chain-source.ts';
import { openChainSource } from '../protocols/ethereum/open-chain-source.ts';
import { type DeployedChain, DeployedChains } from './deployed-chain.ts';

type Rpc = DeployedChain['monitor'];

/** `CHAINS`: the chains that a step reaches, as JSON. Addresses that are secrets are read when they are needed. */
export function chainsOf({ CHAINS }: { readonly CHAINS: string }): (node: string) => Promise<ChainSource> {
  const chains = DeployedChains.parse(JSON.parse(CHAINS));
  const clock = { now: () => new Date() };
  const at = async (rpc: Rpc) => ({
    name: rpc.name,
    url: 'url' in rpc ? rpc.url : await readSecretValue(rpc.secretArn),
  });
  return async (node) => {
    const chain = chains[node];
    if (chain === undefined) throw new Error(`${node} is not a chain of this stack`);
    const monitor = await at(chain.monitor);
    const validators = await Promise.all(chain.validators.map(at));
    return openChainSource({ ...chain, monitor, validators }, clock);
  };
}
