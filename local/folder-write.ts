import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Sha256 } from '../core/names.ts';
import type { WrittenObject } from '../core/vault.ts';
import { blocks } from '../vault/blocks.ts';
import { InvalidKey } from '../vault/keys.ts';
import { onDisk, unless } from './disk-errors.ts';
import { asFile, type FolderTree, GONE, locate, makeRoom, syncFolder, unfinishedFolder } from './folder-tree.ts';

/** Large enough that a system call costs nothing beside its bytes. */
const BLOCK = 1024 * 1024;
/** What is not on the disk when the last byte comes is waited for then; so it is sent there all along. */
const SYNC_EVERY = 32 * BLOCK;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Write once: temporary file, fsync, link to the free name, fsync of its folder. Undefined if the key is taken. */
export async function store(
  tree: FolderTree,
  key: string,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal = AbortSignal.any([]),
): Promise<WrittenObject | undefined> {
  if (await isTaken(tree, key)) return undefined;
  const temporary = join(await unfinishedFolder(tree), randomUUID());
  const file = await onDisk(tree.root, open(temporary, NEW_FILE, 0o600));
  try {
    const written = await fill(tree, file, body, signal);
    return (await publish(tree, file, temporary, key)) ? { key, ...written } : undefined;
  } finally {
    await onDisk(tree.root, file.close());
    await unless(tree.root, ['ENOENT'], unlink(temporary));
  }
}

/** Throws `InvalidKey` if the key is a folder. */
async function isTaken(tree: FolderTree, key: string): Promise<boolean> {
  const path = await locate(tree, key);
  const stats = path === undefined ? undefined : await unless(tree.root, GONE, lstat(path));
  if (path === undefined || stats === undefined) return false;
  if (asFile(path, stats) === undefined) throw new InvalidKey(key, 'it is a folder of other objects');
  return true;
}

async function fill(tree: FolderTree, file: FileHandle, body: AsyncIterable<Uint8Array>, signal: AbortSignal) {
  const hash = createHash('sha256');
  let size = 0;
  // Written before the next one fills, so one buffer does for all.
  const buffer = Buffer.allocUnsafeSlow(BLOCK);
  const flush = flusher(() => onDisk(tree.root, file.datasync()));
  for await (const block of blocks(body, () => buffer, signal)) {
    const writing = onDisk(tree.root, writeAll(file, block));
    hash.update(block);
    await writing;
    size += block.length;
    if (size % SYNC_EVERY === 0) flush.begin();
  }
  await flush.done();
  await onDisk(tree.root, file.sync());
  signal.throwIfAborted();
  return { size, sha256: hash.digest('hex') as Sha256 };
}

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

async function writeAll(file: FileHandle, block: Buffer): Promise<void> {
  for (let done = 0; done < block.length; ) {
    const { bytesWritten } = await file.write(block, done);
    done += bytesWritten;
  }
}

/** Gives a whole and durable file its name. Resolves to false if somebody else was first. */
async function publish(tree: FolderTree, file: FileHandle, temporary: string, key: string): Promise<boolean> {
  const path = await makeRoom(tree, key);
  const linked = await unless(
    tree.root,
    ['EEXIST'],
    link(temporary, path).then(() => true),
  );
  // NFS repeats a call whose answer was lost, and then says EEXIST of our own link: a second name can only be ours.
  const ours = linked ?? (await onDisk(tree.root, file.stat())).nlink === 2;
  if (ours) await syncFolder(tree, dirname(path));
  else await isTaken(tree, key);
  return ours;
}
