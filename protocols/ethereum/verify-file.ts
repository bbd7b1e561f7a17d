import { openDecompressed } from '../../io/decompressed-file.ts';
import { CompressionDamaged, WindowTooLarge } from '../../io/file-errors.ts';
import { blockCutter } from './block-cutter.ts';
import { ChainFileDamaged } from './errors.ts';
import type { RuleChoice } from './hash-rules.ts';
import type { Keccak } from './keccak.ts';
import type { ChainFileReport } from './report.ts';
import { type BlockVerifier, blockVerifier } from './verify-blocks.ts';

export interface VerifyFileOptions {
  readonly rule: RuleChoice;
  readonly keccak: Keccak;
  /** How many bytes of the file, as it lies, have been read since the last call. */
  readonly onRead?: (count: number) => void;
}

/**
 * Verifies every block of one file: that it follows the one before it, and that its body is what its header says. What
 * is wrong is in the report. Throws `FileUnreadable` and `FileReadFailed`.
 */
export async function verifyChainFile(file: string, options: VerifyFileOptions): Promise<ChainFileReport> {
  const { compression, bytes } = await openDecompressed(file);
  const verifier = blockVerifier(options.keccak, options.rule);
  const length = await verifyStream(bytes(options.onRead ?? (() => {})), verifier);
  return { file, compression, bytes: length, ...verifier.report() };
}

/** Resolves to how many bytes came. Damage to the file as such ends it, and is a problem like the others. */
export async function verifyStream(source: AsyncIterable<Uint8Array>, verifier: BlockVerifier): Promise<number> {
  const cutter = blockCutter(verifier.block);
  let length = 0;
  try {
    for await (const bytes of source) {
      length += bytes.length;
      cutter.push(bytes);
    }
    cutter.end();
    if (length === 0) throw new ChainFileDamaged('the file is empty');
  } catch (error) {
    const known =
      error instanceof ChainFileDamaged || error instanceof CompressionDamaged || error instanceof WindowTooLarge;
    if (!known) throw error;
    verifier.problem(error);
  }
  return length;
}
