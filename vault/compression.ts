import type { Transform } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { ByteFilter } from '../core/ports.ts';

/** Large enough that handing a piece to another thread costs nothing beside its work. */
const PIECE = 256 * 1024;

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

/** Compresses on a thread of Node's own. */
export const compressing = (format: 'zstd' | 'gzip'): ByteFilter =>
  through(() =>
    format === 'gzip'
      ? createGzip({ chunkSize: PIECE })
      : createZstdCompress({ chunkSize: PIECE, params: ZSTD_PARAMS }),
  );

/** `damaged` makes the error for bytes that are not whole; the source's own errors pass as they are. */
export const decompressing = (format: 'zstd' | 'gzip', damaged: (cause: unknown) => Error): ByteFilter =>
  through(
    () => (format === 'gzip' ? createGunzip({ chunkSize: PIECE }) : createZstdDecompress({ chunkSize: PIECE })),
    damaged,
  );

/** A piece goes in only when the last one is done with: pieces need be valid no longer than until the next. */
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

async function feed(transform: Transform, source: AsyncIterable<Uint8Array>): Promise<void> {
  let done = () => {};
  // A transform that broke, or that nobody reads any more, calls nobody back.
  transform.once('close', () => done());
  for await (const bytes of source) {
    if (transform.readableEnded) continue;
    await new Promise<void>((resolve) => {
      done = resolve;
      transform.write(bytes, () => resolve());
    });
    if (transform.destroyed && !transform.readableEnded) return;
  }
  transform.end();
}
