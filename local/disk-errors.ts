import { statfs } from 'node:fs/promises';
import { types } from 'node:util';
import { VaultUnavailable } from '../core/vault.ts';

const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** What a person does about each way a file system refuses. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space there, shorten `retention`, or move the vault to a larger disk; then run again.',
  EDQUOT: 'Raise the quota of this user there, or shorten `retention`; then run again.',
  EROFS: 'Mount that file system read-write; it may have turned read-only after a disk error.',
  EACCES: 'Give this user read and write access to that folder, or run as its owner.',
  EPERM: 'Give this user that right, on a file system with hard links (ext4, xfs, zfs, apfs, NFS).',
  ENOTSUP: 'Move the vault to a file system with hard links (ext4, xfs, zfs, apfs, NFS).',
  EIO: 'Check the disk (`dmesg`, `smartctl -a`), then prove what is stored with `ledgerhold verify --all`.',
  ELOOP: 'Replace the symbolic link in the vault by what it points to.',
  EMFILE: 'Raise the limit of open files (`ulimit -n`).',
  ENOENT: 'Find out who removes files from the vault while it is written to.',
};

export const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

export const isFull = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && FULL.includes(errorCode(error) ?? '');

/** A file system's answer. Its refusal becomes `VaultUnavailable`; `path` is where free space is counted. */
export async function onDisk<T>(path: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw await translated(path, error);
  }
}

/** Like `onDisk`, but a refusal listed in `codes` is an answer, too: undefined. */
export async function unless<T>(path: string, codes: readonly string[], answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (codes.includes(errorCode(error) ?? '')) return undefined;
    throw await translated(path, error);
  }
}

/** What stands in the vault at `path` is neither a file nor a folder. */
export function strange(path: string, what: string): VaultUnavailable {
  return new VaultUnavailable(
    `${path} is ${what}; a vault holds files and folders only`,
    'Find out who put it there, and move it out of the vault or put in its place the file that it stands for.',
  );
}

async function translated(path: string, error: unknown): Promise<unknown> {
  const code = errorCode(error);
  if (!types.isNativeError(error) || code === undefined) return error;
  const free = FULL.includes(code) ? await freeText(path) : '';
  const remedy = remedies[code] ?? 'Mend what the file system complains about, and run again.';
  return new VaultUnavailable(`the disk refused a vault: ${error.message}${free}`, remedy, { cause: error });
}

async function freeText(path: string): Promise<string> {
  const { bavail, bsize } = await statfs(path);
  return ` (${bavail * bsize} bytes free)`;
}
