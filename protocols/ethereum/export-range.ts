import type { LedgerholdError } from '../../core/errors.ts';
import { BlockDamaged, ChainBroken, HashRuleUnclear, unclearText } from './errors.ts';
import type { HashRule } from './hash-rules.ts';
import type { Keccak } from './keccak.ts';
import type { ChainProblem, FirstBlock } from './report.ts';
import { blockVerifier, type Findings } from './verify-blocks.ts';
import { verifyStream } from './verify-file.ts';

/** Which blocks are to come, and what is known of them from outside. Both ends included. */
export interface ExpectedRange {
  readonly start: number;
  readonly end: number;
  /** What `start` follows; undefined where nobody knows, as for genesis. */
  readonly parentHash: string | undefined;
  /** What the network calls `end`. */
  readonly endHash: string;
}

export interface ProvenRange {
  readonly start: FirstBlock;
  readonly end: FirstBlock;
  readonly transactions: number;
  readonly rules: Readonly<Partial<Record<HashRule, number>>>;
  readonly blockBytes: number;
}

/** Blocks that are proven on their way. */
export interface ProvenBlocks {
  /** Fails with `BlockDamaged`, `ChainBroken` or `HashRuleUnclear`, at its end at the latest. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** When the last of `bytes` has been taken. */
  proven(): ProvenRange;
}

/** Large enough that a piece costs nothing beside what is done with it. */
const PIECE_BYTES = 256 * 1024;

/**
 * Lets blocks through in order, as they came, each verified whole: its body against its header, its header against the
 * one before it, the first and the last against what is known. One pass, and memory for one piece.
 */
export function provenBlocks(source: AsyncIterable<Uint8Array>, expected: ExpectedRange, keccak: Keccak): ProvenBlocks {
  const verifier = blockVerifier(keccak, 'auto');
  let proven: ProvenRange | undefined;
  async function* verified(): AsyncGenerator<Uint8Array> {
    let piece = Buffer.allocUnsafe(PIECE_BYTES);
    let filled = 0;
    let offset = 0;
    for await (const block of source) {
      verifier.block(block, 0, block.length, offset);
      const failed = verifier.failed();
      if (failed !== undefined) throw errorOf(failed);
      offset += block.length;
      if (filled + block.length > piece.length) {
        if (filled > 0) yield piece.subarray(0, filled);
        piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, block.length));
        filled = 0;
      }
      piece.set(block, filled);
      filled += block.length;
    }
    // Before the last piece: whoever stores the bytes must fail, and not only whoever asks afterwards.
    proven = provenRange(verifier.report(), expected, offset);
    if (filled > 0) yield piece.subarray(0, filled);
  }
  return {
    bytes: verified(),
    proven: () => {
      if (proven === undefined) throw new Error('asked before the last byte was taken');
      return proven;
    },
  };
}

/** Throws what is wrong with the range as a whole. */
export function provenRange(
  { problems, first, last, transactions, rules }: Findings,
  { start, end, parentHash, endHash }: ExpectedRange,
  blockBytes: number,
): ProvenRange {
  const [failed] = problems;
  if (failed !== undefined) throw errorOf(failed);
  if (first === undefined || last === undefined) throw new ChainBroken(`no block came of ${start} to ${end}`);
  if (first.number !== start) throw new ChainBroken(`the first block is ${first.number}, not ${start}`);
  if (last.number !== end) throw new ChainBroken(`the last block is ${last.number}, not ${end}`);
  if (parentHash !== undefined && first.parentHash !== parentHash) {
    throw new ChainBroken(`block ${start} follows ${first.parentHash}, and the block before it is ${parentHash}`);
  }
  if (!last.hashes.some(({ hash }) => hash === endHash)) {
    if (last.unclear) throw new HashRuleUnclear(unclearText(end));
    throw new ChainBroken(`block ${end} is ${last.hash}; the network calls it ${endHash}`);
  }
  const settled = first.number === last.number ? { ...first, hash: endHash } : first;
  const { parentHash: before } = last;
  return { start: settled, end: { number: end, hash: endHash, parentHash: before }, transactions, rules, blockBytes };
}

/** A problem as the error that it is, with the block's number. */
export function errorOf({ error, text, block }: ChainProblem): LedgerholdError {
  const what = block === undefined || text.includes(`block ${block}`) ? text : `block ${block}: ${text}`;
  if (error === 'ChainBroken') return new ChainBroken(what);
  if (error === 'HashRuleUnclear') return new HashRuleUnclear(what);
  return new BlockDamaged(what);
}

/** The same of a file's bytes, which are to be cut into blocks first. Fails as `provenBlocks` does. */
export async function provenFile(
  source: AsyncIterable<Uint8Array>,
  expected: ExpectedRange,
  keccak: Keccak,
): Promise<ProvenRange> {
  const verifier = blockVerifier(keccak, 'auto');
  const length = await verifyStream(source, verifier);
  return provenRange(verifier.report(), expected, length);
}
