/**
 * A node of a chain, as far as it is read. Numbers of blocks are safe integers, hashes `0x` and 64 digits in lower case.
 * A call rejects with an error that names the node and never its URL, or with what `signal` was aborted with.
 */
export interface ChainNode {
  /** As the config names it. */
  readonly name: string;
  /** The number of the newest block it has. */
  head(signal?: AbortSignal): Promise<number>;
  /** Of the newest block that the chain calls final; undefined where it has no such notion. */
  finalized(signal?: AbortSignal): Promise<number | undefined>;
  /** What it calls these blocks, in the order asked; undefined for one it does not have. One round of calls. */
  hashes(numbers: readonly number[], signal?: AbortSignal): Promise<readonly (string | undefined)[]>;
  /**
   * Raw RLP of `first` to `last`, both included, in order, as export files hold them; each piece is one block, and has
   * the number that was asked for. Whether each follows the one before it is for whoever keeps them to verify.
   */
  blocks(first: number, last: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}
