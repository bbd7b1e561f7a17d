import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteRange, NoSuchKey, type StoredObject } from '../core/vault.ts';
import { cut } from '../vault/get-small.ts';
import { checkPrefix, isKey } from '../vault/keys.ts';
import { onDisk, unless } from './disk-errors.ts';
import { asFile, type FolderTree, GONE, locate } from './folder-tree.ts';

/** Large enough that a system call costs nothing beside its bytes. */
const BLOCK = 1024 * 1024;
/** A pipe must not make us wait for its writer, nor a symbolic link lead us out of the vault. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export async function* read(tree: FolderTree, key: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
  const path = await locate(tree, key);
  const file = path === undefined ? undefined : await unless(tree.root, GONE, open(path, READ));
  if (path === undefined || file === undefined) throw new NoSuchKey(key);
  try {
    const stats = asFile(path, await onDisk(tree.root, file.stat()));
    if (stats === undefined) throw new NoSuchKey(key);
    const { from, to } = cut(stats.size, range);
    yield* bytes(tree, file, from, to);
  } finally {
    await file.close();
  }
}

async function* bytes(tree: FolderTree, file: FileHandle, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK, to - at));
    const { bytesRead } = await onDisk(tree.root, file.read(buffer, 0, buffer.length, at));
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

export async function stat(tree: FolderTree, key: string): Promise<StoredObject | undefined> {
  const path = await locate(tree, key);
  return path === undefined ? undefined : fileAt(tree, path, key);
}

async function fileAt(tree: FolderTree, path: string, key: string): Promise<StoredObject | undefined> {
  const stats = await unless(tree.root, GONE, lstat(path));
  const file = stats === undefined ? undefined : asFile(path, stats);
  return file === undefined ? undefined : { key, size: file.size, modifiedAt: file.mtime };
}

export async function* list(tree: FolderTree, prefix: string, startAfter = ''): AsyncGenerator<StoredObject> {
  checkPrefix(prefix);
  // A name to look beside: it makes sure that no folder on the way is a symbolic link, which a walk would not meet.
  if ((await locate(tree, `${prefix}x`)) === undefined) return;
  yield* walk(tree, prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, startAfter);
}

/**
 * The objects in the folder `inside` (empty, or ending in `/`), depth first. Memory is bounded by the entries of one
 * folder at each level. Names that no writer of ours can have made are no objects; links and devices are refused.
 */
async function* walk(tree: FolderTree, inside: string, prefix: string, after: string): AsyncGenerator<StoredObject> {
  const folder = join(tree.root, inside);
  const entries = (await unless(tree.root, GONE, readdir(folder, { withFileTypes: true }))) ?? [];
  // A folder sorts as its keys do, by its name and the slash: `a-b` before `a/b` before `a0`.
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  for (const key of names.map((name) => inside + name).filter((at) => at.startsWith(prefix))) {
    if (key.endsWith('/')) {
      if (isKey(`${key}x`) && (key > after || after.startsWith(key))) yield* walk(tree, key, prefix, after);
    } else if (isKey(key) && key > after) {
      const found = await fileAt(tree, join(tree.root, key), key);
      if (found !== undefined) yield found;
    }
  }
}
