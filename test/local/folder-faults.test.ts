import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type StoredObject, VaultUnavailable } from '../../core/vault.ts';
import { freeBytes, sameFileSystem } from '../../local/disk.ts';
import { folderJanitor, folderVault } from '../../local/folder-vault.ts';
import { InvalidKey, UNFINISHED } from '../../vault/keys.ts';

const run = promisify(execFile);
const hello = Buffer.from('hello');

let home: string;
let root: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ledgerhold-folder-'));
  root = join(home, 'vault');
});

afterEach(() => rm(home, { recursive: true, force: true }));

async function listed(prefix = ''): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of folderVault(root).list(prefix)) objects.push(object);
  return objects;
}

async function* zeros(megabytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < megabytes; index += 1) yield Buffer.alloc(1_000_000);
}

describe('a writer that is killed', () => {
  // From the first block of an object to well into the next ones, which take some 10 ms each.
  test.each([0, 3, 7, 13, 29, 61])(
    '%i ms into its work leaves whole objects only, and the next one works',
    async (ms) => {
      const writer = spawn(process.execPath, [join(import.meta.dirname, '../support/vault-writer.ts'), root]);
      await once(writer.stdout, 'data');
      await setTimeout(ms);
      writer.kill('SIGKILL');
      await once(writer, 'exit');

      const vault = folderVault(root);
      for (const { key, size } of await listed()) {
        const number = Number(key.split('/')[1]);
        if (key.endsWith('receipt')) expect((await vault.get(key))?.toString()).toBe(String(number));
        else {
          expect(size).toBe(3_000_000);
          for await (const chunk of vault.read(key))
            expect(chunk.every((byte) => byte === 48 + (number % 10))).toBe(true);
        }
      }
      const numbers = (await listed('run/')).map(({ key }) => Number(key.split('/')[1]));
      const next = `run/${Math.max(-1, ...numbers) + 1}/dump`;
      expect(await vault.writeOnce(next, zeros(1))).toMatchObject({ size: 1_000_000 });

      await folderJanitor(root).sweepUnfinished(new Date(Date.now() + 60_000));
      expect(await readdir(join(root, UNFINISHED))).toEqual([]);
    },
  );
});

/** A file system of `size` that holds `root`, until `work` ends. */
async function onSmallDisk(size: string, work: () => Promise<void>): Promise<void> {
  await mkdir(root);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', root]);
  try {
    await work();
  } finally {
    await run('umount', [root]);
  }
}

/** Whether this process may mount, which even root may not in some containers. */
async function mayMount(): Promise<boolean> {
  const probe = await mkdtemp(join(tmpdir(), 'ledgerhold-mount-'));
  const mounted = await run('mount', ['-t', 'tmpfs', 'tmpfs', probe]).then(
    () => run('umount', [probe]).then(() => true),
    () => false,
  );
  await rm(probe, { recursive: true });
  return mounted;
}

const mounts = await mayMount();
const testWithMount = mounts ? test : test.skip;
const withMount = (name: string): string => (mounts ? name : `${name} (skipped: no right to mount)`);
const isRoot = process.getuid?.() === 0;
const testAsUser = isRoot ? test.skip : test;

async function refusal(work: Promise<unknown>): Promise<VaultUnavailable> {
  return work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as VaultUnavailable,
  );
}

describe('a disk', () => {
  testWithMount(withMount('that is full refuses with the bytes that are free, and keeps nothing of the write'), () =>
    onSmallDisk('3m', refusesWhenFull),
  );

  testWithMount(withMount('that is read-only can be read, and refuses writers'), () =>
    onSmallDisk('3m', refusesWhenReadOnly),
  );

  testAsUser(
    `with a folder of somebody else refuses${isRoot ? ' (skipped: root may write everywhere)' : ''}`,
    refusesWhenForeign,
  );
});

async function refusesWhenForeign(): Promise<void> {
  await folderVault(root).putOnce('a/x', hello);
  await chmod(join(root, 'a'), 0o500);
  const { remedy } = await refusal(folderVault(root).putOnce('a/y', hello));
  await chmod(join(root, 'a'), 0o700);
  expect(remedy).toContain('write access');
}

async function refusesWhenFull(): Promise<void> {
  const vault = folderVault(root);
  await vault.putOnce('a/x', hello);
  const { name, message, remedy } = await refusal(vault.writeOnce('a/big', zeros(10)));
  expect([name, remedy]).toEqual(['VaultUnavailable', expect.stringContaining('Free space')]);
  expect(message).toMatch(/ENOSPC.*\(\d+ bytes free\)/);
  expect(await readdir(join(root, UNFINISHED))).toEqual([]);
  expect(await vault.writeOnce('a/big', zeros(1))).toMatchObject({ size: 1_000_000 });
  expect(await freeBytes(join(root, 'not/yet'))).toBeLessThan(2_200_000);
  expect(await sameFileSystem(root, join(root, 'not/yet'))).toBe(true);
  expect(await sameFileSystem(root, home)).toBe(false);
}

async function refusesWhenReadOnly(): Promise<void> {
  await folderVault(root).putOnce('a/x', hello);
  await run('mount', ['-o', 'remount,ro', root]);
  const vault = folderVault(root);
  expect(await vault.get('a/x')).toEqual(hello);
  expect(await listed()).toMatchObject([{ key: 'a/x', size: 5 }]);
  expect(await vault.putOnce('a/x', hello)).toBe(false);
  expect((await refusal(vault.putOnce('a/y', hello))).remedy).toContain('read-write');
  expect((await refusal(folderJanitor(root).remove('a/x'))).remedy).toContain('read-write');
}

describe('what is not ours in the folder', () => {
  test('a symbolic link is refused, wherever it stands and wherever it leads', async () => {
    const vault = folderVault(root);
    await vault.putOnce('a/x', hello);
    await mkdir(join(home, 'outside'));
    await writeFile(join(home, 'outside/secret'), 'secret');
    await symlink(join(home, 'outside'), join(root, 'a/folder'));
    await symlink(join(home, 'outside/secret'), join(root, 'a/file'));
    const works = [
      () => vault.get('a/file'),
      () => vault.get('a/folder/secret'),
      () => vault.stat('a/file'),
      () => vault.stat('a/folder/secret'),
      () => vault.putOnce('a/file', hello),
      () => vault.putOnce('a/folder/new', hello),
      () => vault.putOnce('a/folder/new/deep', hello),
      () => folderJanitor(root).remove('a/file'),
      () => folderJanitor(root).remove('a/folder/secret'),
      () => listed(),
      () => listed('a/folder/'),
    ];
    for (const work of works) await expect(work()).rejects.toBeInstanceOf(VaultUnavailable);
    expect(await readdir(join(home, 'outside'))).toEqual(['secret']);
  });

  test('a vault may itself be reached through a symbolic link', async () => {
    await mkdir(join(home, 'disk'));
    await symlink(join(home, 'disk'), root);
    expect(await folderVault(root).putOnce('a/x', hello)).toBe(true);
    expect(await listed()).toMatchObject([{ key: 'a/x' }]);
    expect(await folderVault(join(home, 'disk')).get('a/x')).toEqual(hello);
  });

  test('a pipe is refused without waiting for its writer', async () => {
    await folderVault(root).putOnce('a/x', hello);
    await run('mkfifo', [join(root, 'a/pipe')]);
    await expect(folderVault(root).get('a/pipe')).rejects.toBeInstanceOf(VaultUnavailable);
    await expect(listed()).rejects.toBeInstanceOf(VaultUnavailable);
  });

  test('names that no writer of ours can have made are passed over', async () => {
    await folderVault(root).putOnce('a/x', hello);
    await mkdir(join(root, 'lost+found'));
    await writeFile(join(root, 'lost+found/x'), '');
    for (const name of ['é', 'back\\slash', 'new\nline']) await writeFile(join(root, 'a', name), '');
    expect(await listed()).toMatchObject([{ key: 'a/x' }]);
  });

  test('a folder is no object, and an object no folder', async () => {
    const vault = folderVault(root);
    await vault.putOnce('a/x', hello);
    await expect(vault.putOnce('a', hello)).rejects.toBeInstanceOf(InvalidKey);
    await expect(vault.putOnce('a/x/y', hello)).rejects.toBeInstanceOf(InvalidKey);
    expect(await readdir(join(root, UNFINISHED))).toEqual([]);
  });
});

describe('files and folders', () => {
  test('are for their owner alone, and nothing is made before the first write', async () => {
    const vault = folderVault(root);
    expect(await vault.get('a/b/x')).toBeUndefined();
    expect(await listed()).toEqual([]);
    expect(await folderJanitor(root).sweepUnfinished(new Date())).toBe(0);
    await expect(stat(root)).rejects.toThrow('ENOENT');

    await vault.putOnce('a/b/x', hello);
    const modes = ['', 'a', 'a/b', UNFINISHED, 'a/b/x'].map(
      async (path) => (await stat(join(root, path))).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o700, 0o700, 0o700, 0o700, 0o600]);
  });

  test('unfinished ones are swept once they are old, and the writer of a swept one is told', async () => {
    const vault = folderVault(root);
    async function* swept(): AsyncGenerator<Uint8Array> {
      yield hello;
      expect(await folderJanitor(root).sweepUnfinished(new Date(Date.now() - 60_000))).toBe(0);
      expect(await folderJanitor(root).sweepUnfinished(new Date(Date.now() + 60_000))).toBe(1);
    }
    const refusal = vault.writeOnce('x', swept());
    await expect(refusal).rejects.toBeInstanceOf(VaultUnavailable);
    await expect(refusal).rejects.toMatchObject({ remedy: expect.stringContaining('removes files') });
    expect(await vault.writeOnce('x', zeros(1))).toMatchObject({ size: 1_000_000 });
  });
});
