import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { onDisk, unless } from './disk-errors.ts';

/** Bytes that this user may still write where `path` is, or will be. Rejects with `VaultUnavailable`. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await onDisk(path, statfs(await nearest(path)));
  return bavail * bsize;
}

/** Rejects with `VaultUnavailable` unless this user may write where `path` is, or will be. Writes nothing. */
export async function assertWritable(path: string): Promise<void> {
  const folder = await nearest(path);
  await onDisk(folder, access(folder, constants.W_OK | constants.X_OK));
}

/** Whether both paths are, or will be, on one file system: then one dead disk takes both. */
export async function sameFileSystem(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([device(a), device(b)]);
  return one === other;
}

const device = async (path: string): Promise<number> => (await onDisk(path, stat(await nearest(path)))).dev;

/** `path`, or the closest folder above it that exists. */
async function nearest(path: string): Promise<string> {
  const at = resolve(path);
  const found = await unless(at, ['ENOENT', 'ENOTDIR'], stat(at));
  return found === undefined && at !== dirname(at) ? nearest(dirname(at)) : at;
}
