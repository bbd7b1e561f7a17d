import type { Evidence, FileCompression } from '../../core/chain.ts';
import type { ChainNode } from './chain-node.ts';

/** A chain as a config names it: who is read, who must agree, and how its files are to be. */
export interface ChainSource {
  readonly client: string;
  readonly monitor: ChainNode;
  readonly blocksPerFile: number;
  readonly compression: FileCompression;
  /**
   * The highest block from `lowest` to `highest` that as many validators as the config demands call as the monitor does,
   * and who said what. Rejects with `ConsensusStalled`, or with `NodeBehind` if the monitor has no block `lowest`.
   */
  agree(lowest: number, highest: number, signal?: AbortSignal): Promise<Evidence>;
}
