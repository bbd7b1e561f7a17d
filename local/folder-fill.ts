import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Sha256 } from '../core/names.ts';
import { abortable, blocks } from '../vault/blocks.ts';
import { onDisk } from './disk-errors.ts';
import type { FolderTree } from './folder-tree.ts';

/** Large enough that a system call costs nothing beside its bytes. */
const BLOCK = 1024 * 1024;
/** What is not on the disk when the last byte comes is waited for then; so it is sent there all along. */
const SYNC_EVERY = 32 * BLOCK;

/** Writes a body and makes it durable. Resolves to its size and digest; rejects with what the body or `signal` says. */
export const hashed =
  (tree: FolderTree, body: AsyncIterable<Uint8Array>, signal: AbortSignal = AbortSignal.any([])) =>
  async (file: FileHandle): Promise<{ readonly size: number; readonly sha256: Sha256 }> => {
    const hash = createHash('sha256');
    // Written before the next one fills, so one buffer does for all.
    const buffer = Buffer.allocUnsafeSlow(BLOCK);
    const size = await writeDurably(
      tree,
      file,
      blocks(body, () => buffer, signal),
      (block) => hash.update(block),
    );
    signal.throwIfAborted();
    return { size, sha256: hash.digest('hex') as Sha256 };
  };

/**
 * The same of a body that proves itself: it is not hashed again. Nor is it copied, so nobody may change its chunks any
 * more. Of five members that share a read each would take as long for its hash as for all else.
 */
export const asItComes =
  (tree: FolderTree, body: AsyncIterable<Uint8Array>, signal: AbortSignal) =>
  async (file: FileHandle): Promise<{ readonly size: number }> => {
    const size = await writeDurably(tree, file, gathered(abortable(body, signal)));
    signal.throwIfAborted();
    return { size };
  };

async function writeDurably(
  tree: FolderTree,
  file: FileHandle,
  pieces: AsyncIterable<Uint8Array>,
  meanwhile: (piece: Uint8Array) => unknown = () => {},
): Promise<number> {
  let size = 0;
  let begun = 0;
  const flush = flusher(() => onDisk(tree.root, file.datasync()));
  for await (const piece of pieces) {
    const writing = onDisk(tree.root, writeAll(file, piece));
    meanwhile(piece);
    await writing;
    size += piece.length;
    if (size - begun < SYNC_EVERY) continue;
    begun = size;
    flush.begin();
  }
  await flush.done();
  await onDisk(tree.root, file.sync());
  return size;
}

/** Chunks too small for a system call of their own, together. */
async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    size += chunk.length;
    if (size < BLOCK) continue;
    yield together(held);
    held = [];
    size = 0;
  }
  if (size > 0) yield together(held);
}

const together = (chunks: readonly Uint8Array[]): Uint8Array => {
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
};

/** One flush at a time, beside the writing; a disk that falls behind is flushed less often. */
function flusher(flush: () => Promise<void>) {
  let running: Promise<void> | undefined;
  return {
    begin: () => {
      if (running !== undefined) return;
      running = flush().then(() => {
        running = undefined;
      });
      // Told at the end, by `done`; until then nobody waits for it.
      running.catch(() => {});
    },
    done: () => running ?? Promise.resolve(),
  };
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await file.write(piece, done);
    done += bytesWritten;
  }
}
