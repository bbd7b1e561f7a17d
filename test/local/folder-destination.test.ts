import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Destination } from '../../core/delivery.ts';
import { memberPrefix } from '../../core/names.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { sha256 } from '../../io/digest.ts';
import { folderDestination, ofFullDisk } from '../../local/folder-destination.ts';
import { behavesLikeADestination } from '../conformance/behaves-like-a-destination.ts';

const folder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'ledgerhold-member-'));
  const at = (key: string) => join(path, memberPrefix('acme', 'bank-a'), key);
  return {
    destination: folderDestination(path, 'acme', 'bank-a'),
    held: (key: string) => readFile(at(key)).catch(() => undefined),
    plant: async (key: string, bytes: Uint8Array) => {
      await mkdir(dirname(at(key)), { recursive: true });
      await writeFile(at(key), bytes);
    },
    provide: async () => {},
    cleanup: () => rm(path, { recursive: true }),
  };
};

behavesLikeADestination('a folder', folder, { readsBack: true });

test('a folder that is missing is named, and is not made', async () => {
  const found = await folderDestination('/nowhere/at-all', 'acme', 'bank-a').check();
  expect(found).toMatchObject([{ name: 'NO_SUCH_FOLDER' }]);
});

test('a link below the folder is named, and nothing is put where it leads', async () => {
  const [path, elsewhere] = [await mkdtemp(join(tmpdir(), 'a-')), await mkdtemp(join(tmpdir(), 'b-'))];
  await symlink(elsewhere, join(path, 'ledgerhold'));
  const found = await folderDestination(path, 'acme', 'bank-a').check();
  expect(found).toMatchObject([{ name: 'ANOTHER_FOLDER' }]);
  expect(await readdir(elsewhere)).toEqual([]);
  for (const each of [path, elsewhere]) await rm(each, { recursive: true });
});

describe('a folder that is changed after its check', () => {
  const bytes = Buffer.from('x');
  const itemOf = (key: string) => ({ key, size: 1, sha256: sha256(bytes), kind: 'file' }) as const;
  async function* body() {
    yield bytes;
  }
  const world = async () => {
    const [path, elsewhere] = [await mkdtemp(join(tmpdir(), 'a-')), await mkdtemp(join(tmpdir(), 'b-'))];
    const open = () => folderDestination(path, 'acme', 'bank-a', { wasSound: true });
    const put = (to: Destination, key: string) => to.put(itemOf(key), body, AbortSignal.any([]));
    expect(await folderDestination(path, 'acme', 'bank-a').check()).toEqual([]);
    const all = async () => (await readdir(elsewhere, { recursive: true })).toSorted();
    const cleanup = async () => {
      for (const each of [path, elsewhere]) await rm(each, { recursive: true });
    };
    return { path, elsewhere, open, put, all, cleanup };
  };

  test.each(['ledgerhold', 'ledgerhold/acme', 'ledgerhold/acme/bank-a'])(
    'a link in the place of %s is refused by every put, of a delivery under way and of the next one',
    async (below) => {
      const { path, elsewhere, open, put, all, cleanup } = await world();
      const underWay = open();
      await put(underWay, 'chain/n/1');
      // Have seen the folder, and put nothing yet.
      const known = [open(), open()];
      for (const each of known) await each.read?.('chain/n/1', AbortSignal.any([]));
      await rename(join(path, below), join(path, 'aside'));
      for (const [n, target] of ['copy', 'empty'].entries()) {
        const leads = join(elsewhere, target);
        if (target === 'copy') await cp(join(path, 'aside'), leads, { recursive: true });
        else await mkdir(leads);
        const before = await all();
        await symlink(leads, join(path, below));
        for (const to of [underWay, known[n] ?? open(), open()]) {
          for (const key of ['chain/n/2', 'chain/other/1']) {
            await expect(put(to, key)).rejects.toMatchObject({ fault: { name: 'ANOTHER_FOLDER' } });
          }
        }
        expect(await open().check()).toMatchObject([{ name: 'ANOTHER_FOLDER' }]);
        expect(await all()).toEqual(before);
        await rm(join(path, below));
      }
      await rename(join(path, 'aside'), join(path, below));
      expect(await put(underWay, 'chain/n/2')).toEqual({ outcome: 'written' });
      await cleanup();
    },
  );

  test.each([
    ['.ledgerhold-tmp', 'chain/n/2', 1],
    ['chain/n', 'chain/n/2', 0],
    ['chain', 'chain/n/2', 0],
  ])('a file in the place of the folder %s is the member’s fault, by name', async (folder, key, found) => {
    const { path, open, put, cleanup } = await world();
    const share = join(path, 'ledgerhold/acme/bank-a');
    await rm(join(share, folder), { recursive: true, force: true });
    await mkdir(dirname(join(share, folder)), { recursive: true });
    await writeFile(join(share, folder), 'x');
    await expect(put(open(), key)).rejects.toMatchObject({ name: 'MemberRefused', fault: { name: 'IN_THE_WAY' } });
    expect(await open().check()).toMatchObject(Array.from({ length: found }, () => ({ name: 'IN_THE_WAY' })));
    await cleanup();
  });

  test('a folder in the place of a file is the member’s fault, by name', async () => {
    const { path, open, put, cleanup } = await world();
    await mkdir(join(path, 'ledgerhold/acme/bank-a/chain/n/2'), { recursive: true });
    await expect(put(open(), 'chain/n/2')).rejects.toMatchObject({ fault: { name: 'IN_THE_WAY' } });
    await cleanup();
  });

  test('a check finds that nothing can be written any more, though its canary is there', async () => {
    const { path, open, cleanup } = await world();
    const unfinished = join(path, 'ledgerhold/acme/bank-a/.ledgerhold-tmp');
    await rm(unfinished, { recursive: true });
    // Whoever runs this may write anywhere: a link that leads nowhere stops everybody.
    await symlink('/nowhere/at-all', unfinished);
    expect(await open().check()).toMatchObject([{ name: 'NOT_WRITABLE' }]);
    await cleanup();
  });

  test('a link below the share is not followed either', async () => {
    const { path, elsewhere, open, put, all, cleanup } = await world();
    const underWay = open();
    await put(underWay, 'chain/n/1');
    const chain = join(path, memberPrefix('acme', 'bank-a'), 'chain');
    await rename(chain, join(path, 'aside'));
    await symlink(elsewhere, chain);
    for (const to of [underWay, open()]) {
      await expect(put(to, 'chain/n/2')).rejects.toMatchObject({ name: 'MemberUnavailable' });
    }
    expect(await all()).toEqual([]);
    await cleanup();
  });

  test('a disk that goes away under way is not made anew beneath its mount', async () => {
    const { path, open, put, cleanup } = await world();
    const underWay = open();
    await put(underWay, 'chain/n/1');
    await rename(join(path, 'ledgerhold'), join(path, 'aside'));
    for (const key of ['chain/n/2', 'chain/other/1']) {
      await expect(put(underWay, key)).rejects.toMatchObject({ fault: { name: 'ANOTHER_FOLDER' } });
    }
    expect(await readdir(path)).toEqual(['aside']);
    await cleanup();
  });
});

test('a member’s full disk is told in words for the member, and any other refusal is not', () => {
  const refused = (code: string) =>
    new VaultUnavailable('v', 'shorten `retention`', { cause: Object.assign(new Error(code), { code }) });
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const told = ofFullDisk(refused(code), 'file:///mnt/bank-a');
    expect(told).toMatchObject({ name: 'MemberUnavailable', message: expect.stringContaining('file:///mnt/bank-a') });
    expect(told?.remedy).not.toContain('retention');
  }
  expect(ofFullDisk(refused('EIO'), 'file:///mnt/bank-a')).toBeUndefined();
});
