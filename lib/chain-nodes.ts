import { everySecondsOf } from '../config/every.ts';
import type { EthereumNode, VpcPlace } from '../config/nodes.ts';
import { isChainNode } from '../config/order.ts';
import type { Config } from '../config/schema.ts';
import { LedgerholdError } from '../core/errors.ts';
import type { NodeName } from '../core/names.ts';
import type { DeployedChain } from '../lambdas/deployed-chain.ts';

/** A chain whose runs a schedule starts on AWS. */
export interface ChainNodeProps {
  readonly node: NodeName;
  readonly protocol: string;
  readonly chain: DeployedChain;
  readonly everySeconds: number;
  readonly enabled: boolean;
  readonly vpc: VpcPlace | undefined;
}

/** A node's address that no Lambda can have: an environment variable or a file of some machine. */
export class RpcOutOfReach extends LedgerholdError {
  override readonly name = 'RpcOutOfReach';
  readonly kind = 'usage';
}

/** The chains of a config, in its order. Throws `RpcOutOfReach`. */
export const chainNodes = ({ nodes }: Config): ChainNodeProps[] => nodes.filter(isChainNode).map(chainNode);

function chainNode(node: EthereumNode): ChainNodeProps {
  const { name, protocol, client, agreement, confirmations, blocksPerFile, compression, enabled, vpc } = node;
  const monitor = addressOf('the monitor', node.monitor.rpc, name);
  const validators = node.validators.map((each) => addressOf(each.name, each.rpc, name));
  const chain = { client, monitor, validators, agreement, confirmations, blocksPerFile, compression };
  return { node: name, protocol, chain, everySeconds: everySecondsOf(node), enabled, vpc };
}

function addressOf(name: string, rpc: EthereumNode['monitor']['rpc'], node: string): DeployedChain['monitor'] {
  if (typeof rpc === 'string') return { name, url: rpc };
  const secretArn = rpc.secretsManager;
  if (secretArn?.startsWith('arn:') === true) return { name, secretArn };
  throw new RpcOutOfReach(
    `the address of ${name} of ${node} is out of a Lambda's reach`,
    'Write it into the config, or { secretsManager: ARN }.',
  );
}
