import type { ChainSource } from '../protocols/ethereum/chain-source.ts';
import type { LeasePorts } from '../vault/leases.ts';

/** What the steps of a chain's run need of the world. */
export interface ChainPorts extends LeasePorts {
  /** The chain of a node, as the config names it. */
  readonly chainOf: (node: string) => Promise<ChainSource>;
  readonly signal?: AbortSignal;
}
