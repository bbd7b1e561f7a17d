import { blockCutter } from './block-cutter.ts';

/** Blocks one by one out of a stream of them. Each is a copy, and the reader's. Fails with `ChainFileDamaged`. */
export async function* cutBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const cutter = blockCutter((bytes, at, end) => ready.push(bytes.slice(at, end)));
  for await (const piece of source) {
    cutter.push(piece);
    yield* ready;
    ready = [];
  }
  cutter.end();
}
