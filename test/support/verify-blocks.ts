import { blockCutter } from '../../protocols/ethereum/block-cutter.ts';
import { ChainFileDamaged } from '../../protocols/ethereum/errors.ts';
import type { RuleChoice } from '../../protocols/ethereum/hash-rules.ts';
import type { Keccak } from '../../protocols/ethereum/keccak.ts';
import { blockVerifier, type Findings } from '../../protocols/ethereum/verify-blocks.ts';

/** Verifies bytes as a file of them would be, in pieces of a size. */
export function verifyBytes(bytes: Uint8Array, keccak: Keccak, rule: RuleChoice = 'auto', piece = 1 << 20): Findings {
  const verifier = blockVerifier(keccak, rule);
  const cutter = blockCutter(verifier.block);
  try {
    for (let at = 0; at < bytes.length; at += piece) cutter.push(Uint8Array.from(bytes.subarray(at, at + piece)));
    cutter.end();
  } catch (error) {
    if (!(error instanceof ChainFileDamaged)) throw error;
    verifier.problem(error);
  }
  return verifier.report();
}
