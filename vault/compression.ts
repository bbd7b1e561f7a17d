import type { Transform } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { ByteFilter } from '../core/ports.ts';
import { blocks } from './blocks.ts';

/** Large enough that handing a block to another thread costs nothing beside its work. */
const BLOCK = 1024 * 1024;

/**
 * Level 1 with a match table of 32 KiB, which stays in a core's own cache. Of a database's dump, level 3 takes two to
 * three times the time of a core and saves nothing; half of such dumps is hexadecimal, where no match is to be found.
 */
const ZSTD_PARAMS = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_hashLog]: 13,
  // Lets `zstd -t` tell damage by itself.
  [constants.ZSTD_c_checksumFlag]: 1,
};

/** What may come out before it is taken: less, and the thread would wait for whoever takes it, block by block. */
const AHEAD = { readableHighWaterMark: 2 * BLOCK };

/** Compresses on a thread of Node's own. */
export const compressing = (format: 'zstd' | 'gzip'): ByteFilter =>
  through(() =>
    format === 'gzip'
      ? createGzip({ ...AHEAD, chunkSize: BLOCK })
      : createZstdCompress({ ...AHEAD, chunkSize: BLOCK, params: ZSTD_PARAMS }),
  );

/** `damaged` makes the error for bytes that are not whole; the source's own errors pass as they are. */
export const decompressing = (format: 'zstd' | 'gzip', damaged: (cause: unknown) => Error): ByteFilter =>
  through(
    () =>
      format === 'gzip'
        ? createGunzip({ ...AHEAD, chunkSize: BLOCK })
        : createZstdDecompress({ ...AHEAD, chunkSize: BLOCK }),
    damaged,
  );

function through(make: () => Transform, damaged = (cause: unknown) => cause): ByteFilter {
  return async function* (source) {
    const transform = make();
    let failure: { readonly cause: unknown } | undefined;
    const fed = feed(transform, source).catch((cause: unknown) => {
      failure = { cause };
      transform.destroy();
    });
    try {
      for await (const bytes of transform) yield bytes as Buffer;
      // The source is read to its own end, which may come after what the format takes for one.
      await fed;
      if (failure !== undefined) throw failure.cause;
    } catch (cause) {
      // The source's own errors pass as they are.
      throw failure === undefined ? damaged(cause) : failure.cause;
    } finally {
      transform.destroy();
      await fed;
    }
  };
}

/**
 * Two blocks are with the transform at a time, so that its thread goes from one to the next while ours is busy with
 * what came out; a third is being filled.
 */
async function feed(transform: Transform, source: AsyncIterable<Uint8Array>): Promise<void> {
  const buffers: Buffer[] = [];
  const bufferFor = (index: number) => (buffers[index % 3] ??= Buffer.allocUnsafeSlow(BLOCK));
  const waiting = new Set<() => void>();
  // A transform that broke, or that nobody reads any more, calls nobody back.
  transform.once('close', () => waiting.forEach((resolve) => resolve()));
  let before = Promise.resolve();
  for await (const block of blocks(source, bufferFor, AbortSignal.any([]))) {
    if (transform.readableEnded) continue;
    if (transform.destroyed) return;
    const written = write(transform, block, waiting);
    await before;
    before = written;
  }
  transform.end();
}

const write = (transform: Transform, block: Buffer, waiting: Set<() => void>): Promise<void> =>
  new Promise((resolve) => {
    waiting.add(resolve);
    transform.write(block, () => {
      waiting.delete(resolve);
      resolve();
    });
  });
