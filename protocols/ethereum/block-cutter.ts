import { ChainFileDamaged, RlpInvalid } from './errors.ts';
import { isList, itemLength } from './rlp.ts';

/** Is handed each block where it lies: from `at` to `end` of `bytes`, valid during the call. `offset` is the stream's. */
export type OnBlock = (bytes: Uint8Array, at: number, end: number, offset: number) => void;

/** Cuts a stream into the blocks that follow each other in it. Throws `ChainFileDamaged`. */
export interface BlockCutter {
  push(bytes: Uint8Array): void;
  end(): void;
}

/** No network passes a larger one on: clients refuse messages above 10 MiB. More is not waited for. */
export const MOST_BLOCK_BYTES = 10 * 1024 * 1024;

export function blockCutter(onBlock: OnBlock, most = MOST_BLOCK_BYTES): BlockCutter {
  /** A block of which only the beginning has come. */
  let begun = new Uint8Array(64 * 1024);
  let held = 0;
  let offset = 0;

  /** `length` is the block's, once its head tells: memory that is not written to costs nothing, so that a claim may lie. */
  function hold(bytes: Uint8Array, length: number | undefined): void {
    const needed = Math.max(held + bytes.length, length ?? 0);
    if (needed > begun.length) {
      const larger = new Uint8Array(needed);
      larger.set(begun.subarray(0, held));
      begun = larger;
    }
    begun.set(bytes, held);
    held += bytes.length;
  }

  /** Completes the block that is begun from the beginning of `bytes`; returns how many of them that took. */
  function complete(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length) {
      const length = blockLength(begun, 0, held, offset, most);
      const wanted = (length ?? held + 1) - held;
      const part = bytes.subarray(taken, taken + wanted);
      hold(part, length);
      taken += part.length;
      if (length === undefined || held < length) continue;
      onBlock(begun, 0, held, offset);
      offset += held;
      held = 0;
      break;
    }
    return taken;
  }

  return {
    push(bytes) {
      let at = held > 0 ? complete(bytes) : 0;
      if (held > 0) return;
      while (at < bytes.length) {
        const length = blockLength(bytes, at, bytes.length, offset, most);
        if (length === undefined || at + length > bytes.length) return hold(bytes.subarray(at), length);
        onBlock(bytes, at, at + length, offset);
        at += length;
        offset += length;
      }
    },
    end() {
      if (held === 0) return;
      const length = blockLength(begun, 0, held, offset, most);
      const missing = length === undefined ? '' : `: ${length - held} of its ${length} bytes are missing`;
      throw new ChainFileDamaged(`byte ${offset}: the file is cut inside a block${missing}`);
    },
  };
}

/** How long the block at `at` is; undefined if too little of it has come to tell. */
function blockLength(bytes: Uint8Array, at: number, end: number, offset: number, most: number): number | undefined {
  if (!isList(bytes, at))
    throw new ChainFileDamaged(`byte ${offset}: no block begins here; the file is not RLP from here on`);
  const length = lengthOrDamage(bytes, at, end, offset);
  if (length === undefined || length <= most) return length;
  throw new ChainFileDamaged(`byte ${offset}: a block of ${length} bytes is claimed; none is longer than ${most}`);
}

function lengthOrDamage(bytes: Uint8Array, at: number, end: number, offset: number): number | undefined {
  try {
    return itemLength(bytes, at, end);
  } catch (error) {
    if (!(error instanceof RlpInvalid)) throw error;
    throw new ChainFileDamaged(`byte ${offset}: ${error.what}; the file is not RLP from here on`, { cause: error });
  }
}
