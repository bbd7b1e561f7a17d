import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkKey, InvalidKey } from '../vault/keys.ts';
import { onDisk, unless } from './disk-errors.ts';
import { asFile, type FolderTree, GONE, locate, makeRoom, syncFolder, unfinishedFolder } from './folder-tree.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Write once: temporary file, which `fill` fills and makes durable, link to the free name, fsync of its folder. Resolves
 * to what `fill` does; undefined if the key is taken.
 */
export async function store<T extends object>(
  tree: FolderTree,
  key: string,
  fill: (file: FileHandle) => Promise<T>,
): Promise<T | undefined> {
  if (await isTaken(tree, key)) return undefined;
  const { temporary, file } = await unfinishedFile(tree);
  try {
    const filled = await fill(file);
    return (await publish(tree, file, temporary, key)) ? filled : undefined;
  } finally {
    await onDisk(tree.root, file.close());
    await unless(tree.root, ['ENOENT'], unlink(temporary));
  }
}

/** Leaves nothing behind. Throws as `store` does where nothing can be written. */
export async function tryToWrite(tree: FolderTree): Promise<void> {
  const { temporary, file } = await unfinishedFile(tree);
  await onDisk(tree.root, file.close());
  await onDisk(tree.root, unlink(temporary));
}

async function unfinishedFile(tree: FolderTree): Promise<{ temporary: string; file: FileHandle }> {
  const temporary = join(await unfinishedFolder(tree), randomUUID());
  return { temporary, file: await onDisk(tree.root, open(temporary, NEW_FILE, 0o600)) };
}

/** Throws `InvalidKey` if the key is a folder. */
async function isTaken(tree: FolderTree, key: string): Promise<boolean> {
  checkKey(key);
  // Most keys are free: by which way is looked at only where something is.
  const found = await unless(tree.root, GONE, lstat(join(tree.root, key)));
  const path = found === undefined ? undefined : await locate(tree, key);
  const stats = path === undefined ? undefined : await unless(tree.root, GONE, lstat(path));
  if (path === undefined || stats === undefined) return false;
  if (asFile(path, stats) === undefined) throw new InvalidKey(key, 'it is a folder of other objects');
  return true;
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
