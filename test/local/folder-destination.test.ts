import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { memberPrefix } from '../../core/names.ts';
import { VaultUnavailable } from '../../core/vault.ts';
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
