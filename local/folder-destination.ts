import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type Deliverable,
  type Destination,
  MemberRefused,
  MemberUnavailable,
  type Stored,
  tampered,
} from '../core/delivery.ts';
import type { MemberFault } from '../core/members.ts';
import { memberPrefix } from '../core/names.ts';
import { type Vault, VaultUnavailable } from '../core/vault.ts';
import { stuckAt } from '../io/stuck-calls.ts';
import { machineTimer, type Timer } from '../vault/abreast.ts';
import { InvalidKey } from '../vault/keys.ts';
import { unlessSilent } from '../vault/unless-silent.ts';
import { isFull, onDisk, unless } from './disk-errors.ts';
import { asItComes } from './folder-fill.ts';
import { type FolderTree, folderTree, GONE } from './folder-tree.ts';
import { vaultIn } from './folder-vault.ts';
import { store, tryToWrite } from './folder-write.ts';
import { realPathOf } from './real-path.ts';

/** Tells the folder that was checked from the empty one that is left when a disk is not mounted. */
const CANARY = 'canary/folder.txt';

export interface FolderOptions {
  /** A check has left its canary there before. */
  readonly wasSound?: boolean | undefined;
  readonly timer?: Timer;
}

/**
 * A member's folder of this machine, such as a mounted share. It must exist: nothing is put where a disk is missing. No
 * call waits for ever, and while one that was given up has not come back no other is begun.
 */
export function folderDestination(
  path: string,
  network: string,
  member: string,
  options: FolderOptions = {},
): Destination {
  const { wasSound = false, timer = machineTimer } = options;
  return unlessSilent(folderThatAnswers(path, { network, member, wasSound }), { timer, stuck: stuckAt(path) });
}

interface Share {
  readonly network: string;
  readonly member: string;
  readonly wasSound: boolean;
}

function folderThatAnswers(path: string, share: Share): Destination {
  let known: Promise<void> | undefined;
  const below = memberPrefix(share.network, share.member);
  const tree = folderTree(`${path}/${below}`, () => guard(path, below, known !== undefined));
  const vault = vaultIn(tree);
  const seeCanary = async (): Promise<void> => {
    if ((await atMember(vault.get(CANARY))) === undefined) throw new MemberRefused(anotherFolder(path));
  };
  // Once for all that is put at once: on a mount that hangs it takes one thread.
  const expectCanary = (): Promise<void> => {
    known ??= seeCanary().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return {
    url: vault.url,
    copies: false,
    put: async (item, body, signal) => {
      await expectCanary();
      return put({ tree, vault }, item, body, signal);
    },
    read: async (key) => {
      await expectCanary();
      return (await atMember(vault.stat(key))) === undefined ? undefined : atMembers(vault.read(key));
    },
    mayRead: async () => true,
    check: () => check(path, tree, share),
  };
}

/** Nothing goes where a link leads, nor where the folder was and is not any more: its disk is gone. */
async function guard(path: string, below: string, wasThere: boolean): Promise<void> {
  const root = resolve(path, below);
  const [real, leads] = [await onDisk(path, realPathOf(path)), await onDisk(path, realPathOf(root))];
  if (leads !== resolve(real, below)) throw new MemberRefused(ledElsewhere(path));
  if (wasThere && (await unless(path, GONE, lstat(root))) === undefined) throw new MemberRefused(anotherFolder(path));
}

async function check(path: string, tree: FolderTree, { network, member, wasSound }: Share): Promise<MemberFault[]> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() !== true) return [missing(path)];
  const vault = vaultIn(tree);
  const words = Buffer.from(`Files of ${network} for ${member} go here.\n`);
  try {
    await tree.guard();
    // Where a canary was left before, a folder without one is another: it is not made ours by looking.
    if (wasSound && (await vault.stat(CANARY)) === undefined) return [anotherFolder(path)];
    if (await vault.putOnce(CANARY, words)) return [];
    const there = await vault.get(CANARY);
    if (there === undefined || Buffer.compare(there, words) !== 0) return [anothers(path)];
    // It was left there when it could be; whether anything can be now shows by trying.
    await tryToWrite(tree);
    return [];
  } catch (error) {
    if (error instanceof MemberRefused) return [error.fault];
    if (error instanceof InvalidKey) return [inTheWay(error)];
    if (!(error instanceof VaultUnavailable)) throw error;
    const { message, remedy } = ofFullDisk(error, vault.url) ?? error;
    return [{ name: 'NOT_WRITABLE', message, remedy }];
  }
}

async function put(
  { tree, vault }: { readonly tree: FolderTree; readonly vault: Vault },
  { key, sha256 }: Deliverable,
  body: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Stored> {
  // What the source says is its own; what the disk says is the member's.
  let ofSource: unknown;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* body();
    } catch (error) {
      ofSource = error;
      throw error;
    }
  }
  try {
    signal.throwIfAborted();
    // A body ends only as what was sealed, so it is not hashed for each member anew.
    const written = await store(tree, key, asItComes(tree, source(), signal));
    if (written !== undefined) return { outcome: 'written' };
  } catch (error) {
    if (error === ofSource || signal.aborted) throw error;
    throw ofFullDisk(error, vault.url) ?? unavailable(error);
  }
  return sameOrTampered(vault, key, sha256);
}

async function sameOrTampered(vault: Vault, key: string, sha256: string): Promise<Stored> {
  const hash = createHash('sha256');
  for await (const chunk of atMembers(vault.read(key))) hash.update(chunk);
  if (hash.digest('hex') === sha256) return { outcome: 'same' };
  throw new MemberRefused(tampered(vault.url, key));
}

/** What the vault’s own words say of a full disk is for its operator: undefined for whatever else it is. */
export function ofFullDisk(error: unknown, url: string): MemberUnavailable | undefined {
  if (!(error instanceof VaultUnavailable) || !isFull(error.cause)) return undefined;
  const remedy =
    'Free space on the disk of that member, or raise the quota there; the delivery then goes on by itself.';
  return new MemberUnavailable(`the disk of the member’s folder ${url} is full`, remedy, { cause: error });
}

const unavailable = (error: unknown): unknown => {
  if (error instanceof InvalidKey) return new MemberRefused(inTheWay(error));
  return error instanceof VaultUnavailable
    ? new MemberUnavailable(error.message, error.remedy, { cause: error })
    : error;
};

const atMember = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw unavailable(error);
  });

async function* atMembers(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw unavailable(error);
  }
}

const missing = (path: string): MemberFault => ({
  name: 'NO_SUCH_FOLDER',
  message: `${path} is not a folder of this machine`,
  remedy: 'Create it, or mount the disk that it is on; then let the check be run again.',
});

const inTheWay = ({ message }: InvalidKey): MemberFault => ({
  name: 'IN_THE_WAY',
  message: `something else lies at the member where a folder or a file of ours is to be: ${message}`,
  remedy: 'Take it away, and let the check be run again: what we put is sent once more.',
});

const anothers = (path: string): MemberFault => ({
  name: 'ANOTHER_FOLDER',
  message: `${path} holds a canary that is not ours`,
  remedy: 'Give each member and network a folder of its own.',
});

const ledElsewhere = (path: string): MemberFault => ({
  name: 'ANOTHER_FOLDER',
  message: `a link below ${path} leads what would be put there elsewhere`,
  remedy: 'Take the link away, or register the folder that it leads to.',
});

const anotherFolder = (path: string): MemberFault => ({
  name: 'ANOTHER_FOLDER',
  message: `${path} is not the folder that was checked: its canary is missing`,
  remedy: 'Mount the disk that it was on. If it is to be a new folder, register it again.',
});
