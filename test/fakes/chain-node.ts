import type { ChainNode } from '../../protocols/ethereum/chain-node.ts';
import { chainOf } from './chain-blocks.ts';

export interface MemoryChainNode extends ChainNode {
  setHead(number: number): void;
  setFinalized(number: number | undefined): void;
}

/** A chain in memory, in place of a node that is called. Its head is the last block until it is set. */
export async function memoryChainNode(name: string, all: readonly Uint8Array[]): Promise<MemoryChainNode> {
  const chain = await chainOf(all);
  const state: { head: number; finalized: number | undefined } = {
    head: Math.max(...chain.keys()),
    finalized: undefined,
  };
  const at = (number: number) => (number <= state.head ? chain.get(number) : undefined);
  return {
    name,
    head: async () => state.head,
    finalized: async () => state.finalized,
    hashes: async (numbers) => numbers.map((number) => at(number)?.hash()),
    async *blocks(first, last) {
      for (let number = first; number <= last; number++) {
        const block = at(number);
        if (block === undefined) throw new Error(`${name} has no block ${number}`);
        yield block.bytes;
      }
    },
    setHead: (number) => {
      state.head = number;
    },
    setFinalized: (number) => {
      state.finalized = number;
    },
  };
}
