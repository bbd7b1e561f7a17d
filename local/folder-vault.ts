import { lstat, readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KeyTaken, type Vault, type VaultJanitor } from '../core/vault.ts';
import { getSmall } from '../vault/get-small.ts';
import { UNFINISHED } from '../vault/keys.ts';
import { unless } from './disk-errors.ts';
import { hashed } from './folder-fill.ts';
import { list, read, stat } from './folder-read.ts';
import { type FolderTree, folderTree, GONE, locate, syncFolder } from './folder-tree.ts';
import { store } from './folder-write.ts';

/**
 * A vault in a folder of a POSIX file system with hard links and names that tell case apart. The folder is made by the
 * first write; until then it reads as empty. Files are for their owner alone. Reading needs no right to write.
 */
export const folderVault = (path: string): Vault => vaultIn(folderTree(path));

export function vaultIn(tree: FolderTree): Vault {
  return {
    url: pathToFileURL(tree.root).href,
    putOnce: async (key, body) => (await store(tree, key, hashed(tree, only(body)))) !== undefined,
    writeOnce: async (key, body, signal) => {
      const written = await store(tree, key, hashed(tree, body, signal));
      if (written === undefined) throw new KeyTaken(key);
      return { key, ...written };
    },
    get: (key, limit) => getSmall((at) => read(tree, at), key, limit),
    read: (key, range) => read(tree, key, range),
    stat: (key) => stat(tree, key),
    list: (prefix, startAfter) => list(tree, prefix, startAfter),
  };
}

/** The right to delete in that folder. */
export function folderJanitor(path: string): VaultJanitor {
  const tree = folderTree(path);
  return {
    remove: (key) => remove(tree, key),
    sweepUnfinished: (before) => sweep(tree, before),
  };
}

async function* only(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

async function remove(tree: FolderTree, key: string): Promise<boolean> {
  const path = await locate(tree, key);
  if (path === undefined || (await stat(tree, key)) === undefined) return false;
  const removed = await unless(
    tree.root,
    GONE,
    unlink(path).then(() => true),
  );
  if (removed === undefined) return false;
  await syncFolder(tree, dirname(path));
  return true;
}

async function sweep(tree: FolderTree, before: Date): Promise<number> {
  const folder = join(tree.root, UNFINISHED);
  let swept = 0;
  for (const name of (await unless(tree.root, GONE, readdir(folder))) ?? []) {
    const path = join(folder, name);
    // A writer at work touches its file with every block, so only what has been silent since then is left behind.
    const stats = await unless(tree.root, GONE, lstat(path));
    if (stats === undefined || stats.mtime >= before) continue;
    await unless(tree.root, GONE, unlink(path));
    swept += 1;
  }
  return swept;
}
