import { ComponentName, NodeName } from '../core/names.ts';
import type { AnyNode, ComponentConfig, EthereumNode, NodeConfig } from './nodes.ts';

/**
 * Tessera's database beside a chain's node, as the rest sees it: a node of its own, whose sets lie under its own name and
 * which runs after the chain. No config lists it; it is made of what an `EthereumNode` says.
 */
export interface PayloadNode
  extends Pick<EthereumNode, 'enabled' | 'rateLimit'>,
    Readonly<Partial<Record<'deployment' | 'vpc' | 'every', undefined>>> {
  readonly protocol: 'tessera';
  readonly name: NodeName;
  readonly maxSpread: number;
  readonly components: Readonly<Record<ComponentName, ComponentConfig>>;
  /** The node whose chain it holds the payloads of. */
  readonly chain: EthereumNode;
}

const SUFFIX = '-tessera';

/** What the sets of a chain's private payloads are called. */
export const payloadNodeName = (chain: string): string => `${chain}${SUFFIX}`;

/** So long a chain's name may be, that its payloads' is one too. */
export const LONGEST_CHAIN_NAME = 24 - SUFFIX.length;

/** Undefined for a node that is no chain, and for a chain without a Tessera in the config. */
export function payloadNodeOf(node: AnyNode): PayloadNode | undefined {
  if (node.protocol !== 'ethereum' || node.components === undefined) return undefined;
  const { enabled, rateLimit, components } = node;
  return {
    ...{ protocol: 'tessera', name: NodeName.parse(payloadNodeName(node.name)), enabled, rateLimit, chain: node },
    // One component: nothing can be spread. It is the least that a run may say.
    maxSpread: 60,
    components: { [ComponentName.parse('tessera')]: components.tessera },
  };
}

export const payloadNodes = ({ nodes }: { readonly nodes: readonly NodeConfig[] }): PayloadNode[] =>
  nodes.flatMap((node) => payloadNodeOf(node) ?? []);
