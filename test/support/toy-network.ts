import { ConsensusStalled, type Evidence, type FileCompression, NodeBehind } from '../../core/chain.ts';
import { Instant } from '../../core/names.ts';
import type { ChainNode } from '../../protocols/ethereum/chain-node.ts';
import type { ChainSource } from '../../protocols/ethereum/chain-source.ts';
import { type ToyBlock, type ToyChain, toyChain, toyTransactions } from './chain-writer.ts';

/** A node that holds one toy chain, which a test may lengthen, replace or cut. */
export class ToyNode implements ChainNode {
  chain: ToyChain;
  readonly name: string;
  /** Called before each block is given out: a test may change the chain under it, or fail. */
  onBlock: (number: number) => void = () => {};
  /** Called before hashes are told. */
  onHashes: () => void = () => {};

  constructor(name: string, chain: ToyChain) {
    this.name = name;
    this.chain = chain;
  }

  head = async () => this.chain.blocks.length - 1;
  finalized = async () => undefined;
  hashes = async (numbers: readonly number[]) => {
    this.onHashes();
    return numbers.map((number) => this.chain.hashes[number]);
  };

  async *blocks(first: number, last: number): AsyncGenerator<Uint8Array> {
    for (let number = first; number <= last; number++) {
      this.onBlock(number);
      const block = this.chain.blocks[number];
      if (block === undefined) throw new NodeBehind(`no block ${number}`, 'Wait.');
      yield block;
    }
  }
}

/** Blocks that differ from those of any other `branch`. */
export const branch = (count: number, name: number): ToyBlock[] =>
  Array.from({ length: count }, () => ({ transactions: toyTransactions(2, name) }));

/** `chain` with `more` behind its first `keep` blocks. */
export async function grown(chain: ToyChain, keep: number, more: readonly ToyBlock[]): Promise<ToyChain> {
  const parent = Buffer.from((chain.hashes[keep - 1] ?? '').slice(2), 'hex');
  const added = await toyChain(more, { from: keep, ...(keep > 0 && { parent }) });
  return {
    blocks: [...chain.blocks.slice(0, keep), ...added.blocks],
    hashes: [...chain.hashes.slice(0, keep), ...added.hashes],
  };
}

interface ToySettings {
  readonly blocksPerFile?: number;
  readonly compression?: FileCompression;
  readonly rule?: Evidence['rule'];
}

/** The chain as steps ask for it, agreed on without validators that could differ: all say what the monitor says. */
export function toySource(
  monitor: ToyNode,
  { blocksPerFile = 4, compression = 'none', rule = 'all' }: ToySettings = {},
): ChainSource {
  const agree = async (lowest: number, highest: number): Promise<Evidence> => {
    const number = Math.min(highest, await monitor.head());
    if (number < lowest) throw new NodeBehind(`${monitor.name} is behind ${lowest}`, 'Wait.');
    const hash = monitor.chain.hashes[number];
    if (hash === undefined) throw new ConsensusStalled('nothing agreed', 'Wait.');
    const at = Instant.parse('2026-11-01T00:00:00Z');
    const answer = { validator: 'one', at, number, hash, outcome: 'agrees' } as const;
    return { end: { number, hash }, rule, monitor: monitor.name, answers: [answer], rounds: 1 };
  };
  return { client: 'toy', monitor, blocksPerFile, compression, agree };
}
