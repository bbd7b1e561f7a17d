import type { Stats } from 'node:fs';
import { lstat, mkdir, open, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { checkKey, InvalidKey, UNFINISHED } from '../vault/keys.ts';
import { onDisk, strange, unless } from './disk-errors.ts';

export const GONE: readonly string[] = ['ENOENT', 'ENOTDIR'];

/**
 * Where the keys of a vault are on disk. No symbolic link below the root is followed. (Only a link that somebody with
 * the right to write here slips in between a check and its use would be: Node has no `openat`.)
 */
export interface FolderTree {
  /** As given, made absolute. It may be a symbolic link itself. */
  readonly root: string;
  /** Folders whose entries above them are known to be durable. */
  readonly settled: Set<string>;
  /** By folder: a sync that is yet to begin, behind the one that is under way. */
  readonly syncs: Map<string, { running: Promise<void>; next: Promise<void> | undefined }>;
  /** Where the root was when it was last looked at. */
  real: string | undefined;
  /** Rejects where the root is not to be used: asked before it is made, and when a path does not lead where it did. */
  readonly guard: () => Promise<void>;
}

export const folderTree = (path: string, guard: FolderTree['guard'] = async () => {}): FolderTree => ({
  ...{ root: resolve(path), settled: new Set(), syncs: new Map(), real: undefined, guard },
});

/** The path of `key`; undefined if a folder on the way does not exist, so that nothing can be there. */
export async function locate(tree: FolderTree, key: string): Promise<string | undefined> {
  checkKey(key);
  const path = join(tree.root, key);
  return (await isTrueFolder(tree, dirname(path))) ? path : undefined;
}

/** The path of `key`, after making the folders on the way, durably. Throws `InvalidKey` if one of them is an object. */
export async function makeRoom(tree: FolderTree, key: string): Promise<string> {
  checkKey(key);
  const path = join(tree.root, key);
  await settle(tree, dirname(path));
  return path;
}

/** The folder of unfinished writes, on the vault's own file system, made if need be. */
export async function unfinishedFolder(tree: FolderTree): Promise<string> {
  const path = join(tree.root, UNFINISHED);
  await settle(tree, path);
  return path;
}

/**
 * Makes the entries that a folder has by now durable. Throws `VaultUnavailable`. Those who ask while it is being synced
 * have one sync in common, which begins after that.
 */
export function syncFolder(tree: FolderTree, path: string): Promise<void> {
  const under = tree.syncs.get(path);
  if (under === undefined) {
    const own = { running: syncNow(tree, path), next: undefined };
    tree.syncs.set(path, own);
    return own.running.finally(() => tree.syncs.get(path) === own && own.next === undefined && tree.syncs.delete(path));
  }
  under.next ??= under.running
    .catch(() => {})
    .then(() => {
      tree.syncs.delete(path);
      return syncFolder(tree, path);
    });
  return under.next;
}

async function syncNow(tree: FolderTree, path: string): Promise<void> {
  const folder = await onDisk(tree.root, open(path));
  try {
    await onDisk(tree.root, folder.sync());
  } finally {
    await folder.close();
  }
}

/** Undefined if there is no object at `path`. Throws `VaultUnavailable` if it is no file and no folder. */
export function asFile(path: string, stats: Stats): Stats | undefined {
  if (stats.isFile()) return stats;
  if (stats.isDirectory()) return undefined;
  throw strange(path, stats.isSymbolicLink() ? 'a symbolic link' : 'a device, socket or pipe');
}

/** Whether the folder is there; throws if one on the way to it is a symbolic link. */
async function isTrueFolder(tree: FolderTree, path: string): Promise<boolean> {
  const below = path.slice(tree.root.length);
  const real = await unless(tree.root, GONE, realpath(path));
  if (real !== undefined && tree.real !== undefined && real === tree.real + below) return true;
  await tree.guard();
  tree.real = await unless(tree.root, GONE, realpath(tree.root));
  if (tree.real === undefined || real === undefined) return false;
  if (real !== tree.real + below) throw strange(path, `reached through a symbolic link (${real})`);
  return true;
}

async function settle(tree: FolderTree, path: string): Promise<void> {
  if (tree.settled.has(path) && (await isTrueFolder(tree, path))) return;
  const atTop = path === tree.root;
  await (atTop ? tree.guard() : settle(tree, dirname(path)));
  await unless(tree.root, ['EEXIST'], mkdir(path, { recursive: atTop, mode: 0o700 }));
  if (!atTop && asFile(path, await onDisk(tree.root, lstat(path))) !== undefined) {
    throw new InvalidKey(path.slice(tree.root.length + 1), 'it is an object, so it cannot be a folder of others');
  }
  await syncFolder(tree, dirname(path));
  tree.settled.add(path);
}
