import type { HashRule } from './hash-rules.ts';

/** What was found in one file of blocks. Plain data: it crosses between threads, and is printed. */
export interface ChainFileReport {
  readonly file: string;
  readonly compression: Compression;
  /** Of blocks, decompressed. */
  readonly bytes: number;
  readonly blocks: number;
  readonly transactions: number;
  readonly first?: FirstBlock;
  readonly last?: LastBlock;
  /** How many blocks were hashed by which rule. */
  readonly rules: Readonly<Partial<Record<HashRule, number>>>;
  /** Items of blocks that no field of a header is known to commit to. */
  readonly unchecked: number;
  /** The first of them; `moreProblems` counts the others. */
  readonly problems: readonly ChainProblem[];
  readonly moreProblems: number;
}

export type Compression = 'none' | 'gzip' | 'zstd';

export interface FirstBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

/** `hashes` are what it may be called by the block after it, the likeliest first: `hash`. */
export interface LastBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly hashes: readonly { readonly rule: HashRule; readonly hash: string }[];
  /** Its header is of the Istanbul family, but its extra data is of no form that is known. */
  readonly unclear: boolean;
}

export interface ChainProblem {
  /** The class of error that it is. */
  readonly error: string;
  readonly text: string;
  /** The block's number, if that could be read. */
  readonly block?: number;
  /** Of the block, or of what is wrong in it, in the file as decompressed. */
  readonly offset?: number;
}
