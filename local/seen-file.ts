import { constants } from 'node:fs';
import { type FileHandle, open, realpath, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { canonicalBytes } from '../core/canonical.ts';
import { LedgerholdError } from '../core/errors.ts';
import { Seen } from '../core/seen.ts';
import { NotADocument, parseDocument } from '../vault/documents.ts';
import { errorCode } from './disk-errors.ts';

/** A file that should say what was seen at the last visit does not say it. Nothing was changed. */
export class SeenUnreadable extends LedgerholdError {
  override readonly name = 'SeenUnreadable';
  readonly kind = 'usage';
}

/** What was seen could not be written down; the file is as it was. */
export class SeenNotKept extends LedgerholdError {
  override readonly name = 'SeenNotKept';
  readonly kind = 'external';
}

/** A hundred manifests of each of a hundred chains are less; another member's file may be anything. */
const LARGEST = 2 ** 20;
/** The lock is held for milliseconds. */
const PATIENCE_MS = 10_000;
const POLL_MS = 20;

/** Undefined if there is no such file. Rejects with `SeenUnreadable`, or with `UnknownFormat` for one of a newer version. */
export async function readSeen(path: string): Promise<Seen | undefined> {
  try {
    return parseDocument(path, await readBounded(path), Seen);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    // `UnknownFormat` speaks for itself.
    if (error instanceof LedgerholdError && !(error instanceof NotADocument)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const remedy =
      'Put back a copy of it. Without one, move it away: the next visit begins anew, and cannot tell what was taken back before.';
    throw new SeenUnreadable(`what earlier visits saw cannot be read: ${why}`, remedy, { cause: error });
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  // A pipe would be waited for.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > LARGEST) throw new Error(`${path} is no file of at most ${LARGEST} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * Replaces what the file says by what `change` makes of it; undefined leaves it as it is. Whole or not at all, also
 * after a crash, and one writer at a time: none overwrites what another has added in between. Rejects with
 * `SeenUnreadable` and `SeenNotKept`.
 */
export async function changeSeen(
  path: string,
  change: (current: Seen | undefined) => Seen | undefined,
  patience = PATIENCE_MS,
): Promise<void> {
  const target = await kept(path, realTarget(path));
  const lock = `${target}.lock`;
  const file = await kept(path, lockOf(path, lock, patience));
  let named = false;
  try {
    const changed = change(await readSeen(target));
    if (changed === undefined) return;
    await kept(path, fill(file, canonicalBytes(changed)));
    await kept(path, rename(lock, target));
    named = true;
    await kept(path, syncEntry(target));
  } finally {
    await file.close();
    if (!named) await kept(path, unlink(lock));
  }
}

/** Through a symbolic link, which is to stay one. */
async function realTarget(path: string): Promise<string> {
  return realpath(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return path;
    throw error;
  });
}

/** The new version, not yet named, is the lock as well: who makes it writes. */
async function lockOf(path: string, lock: string, patience: number): Promise<FileHandle> {
  for (let waited = 0; ; waited += POLL_MS) {
    try {
      return await open(lock, 'wx');
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      if (waited >= patience) {
        const remedy = `Run it again. If no other ledgerhold is at work on it, one was killed there: remove ${lock}.`;
        throw new SeenNotKept(`${path} is being written by somebody else: ${lock} exists`, remedy, { cause: error });
      }
      await setTimeout(POLL_MS);
    }
  }
}

async function fill(file: FileHandle, bytes: Uint8Array): Promise<void> {
  await file.writeFile(bytes);
  await file.sync();
}

async function syncEntry(path: string): Promise<void> {
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function kept<T>(path: string, answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    if (errorCode(cause) === undefined || cause instanceof LedgerholdError) throw cause;
    const why = (cause as Error).message;
    throw new SeenNotKept(`what was seen cannot be written to ${path}: ${why}`, 'Name a file where you may write.', {
      cause,
    });
  });
}
