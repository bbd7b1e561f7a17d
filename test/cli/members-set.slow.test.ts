import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { folderVault } from '../../local/folder-vault.ts';
import { keyFileSigner } from '../../local/key-file-signer.ts';
import { memberVersions } from '../../vault/members.ts';
import { type ChainCli, chainCli } from '../support/chain-cli.ts';
import { runCli } from '../support/cli.ts';
import { ToyHistory } from '../support/toy-deliveries.ts';

jest.setTimeout(60_000);

let world: ChainCli;
const cli: ChainCli['cli'] = (...args) => world.cli(...args);
const vault = () => folderVault(join(world.cwd, 'vault'));
const versions = async () => (await memberVersions(vault(), 'bank-a')).length;
const filesOf = (node: string) =>
  readdir(join(world.cwd, 'bank-a/ledgerhold/acme/bank-a/chain', node)).then((names) =>
    names.filter((name) => name.includes('-block-')),
  );

beforeEach(async () => {
  world = await chainCli(24);
  await mkdir(join(world.cwd, 'bank-a'));
  await cli('backup');
  await cli('members', 'add', 'bank-a', '--folder', 'bank-a', '--deliver');
});
afterEach(async () => world[Symbol.asyncDispose]());

/** A second chain, which the vault has a history of and the configuration does not name. */
const sealAnother = async () => {
  const history = new ToyHistory(vault(), await keyFileSigner(join(world.cwd, 'signing-key.pem')), 'another');
  await history.seal(Buffer.from('a file'));
};

describe('the operator sets of a member', () => {
  test('that it pauses, which suspends nothing, and goes on with exactly what is missing', async () => {
    await cli('deliver');
    expect((await cli('members', 'set', 'bank-a', '--no-target')).json()).toMatchObject({
      ...{ ok: true, code: 'CHECKED', environmentBackupTarget: false, fault: null },
    });
    await sealAnother();
    expect((await cli('deliver')).json()).toMatchObject({ code: 'NOBODY_TO_DELIVER_TO' });
    const on = await cli('members', 'set', 'bank-a', '--target');
    expect(on.json()).toMatchObject({ code: 'ACTIVE', environmentBackupTarget: true });
    expect((await cli('deliver')).json()).toMatchObject({ members: [{ outcome: 'whole', totals: { files: 4 } }] });
    expect(await filesOf('another')).toHaveLength(1);
  });

  test('the chains that go to it, and every one again', async () => {
    await sealAnother();
    const narrowed = await cli('members', 'set', 'bank-a', '--chains', 'another');
    expect(narrowed.json()).toMatchObject({ code: 'ACTIVE', environmentBackupTarget: true, chains: ['another'] });
    const text = (await runCli(['members', 'list'], { cwd: world.cwd })).stdout;
    expect(text).toMatch(/chains +another\n/);
    await cli('deliver');
    expect(await filesOf('another')).toHaveLength(1);
    await expect(filesOf('consortium')).rejects.toThrow('ENOENT');
    const both = await cli('members', 'set', 'bank-a', '--chains', 'another,consortium', '--no-target');
    expect(both.json()).toMatchObject({ code: 'CHECKED', chains: ['another', 'consortium'] });
    const all = await cli('members', 'set', 'bank-a', '--all-chains', '--target');
    expect(all.json()).toMatchObject({ code: 'ACTIVE', chains: null });
    await cli('deliver');
    expect(await filesOf('consortium')).toHaveLength(3);
  });

  test('what it is already, and no version is written', async () => {
    const before = await versions();
    expect((await cli('members', 'set', 'bank-a', '--target', '--all-chains')).json()).toMatchObject({
      code: 'ACTIVE',
    });
    expect(await versions()).toBe(before);
  });

  test.each([
    [['bank-a'], 'UsageError', 2],
    [['bank-a', '--chains', 'third'], 'UsageError', 2],
    [['bank-a', '--chains', 'consortium,third', '--no-target'], 'UsageError', 2],
    [['bank-a', '--chains', ''], 'UsageError', 2],
    [['bank-a', '--chains', '../sets'], 'UsageError', 2],
    [['bank-a', '--chains', 'consortium', '--all-chains'], 'UsageError', 2],
    [['bank-x', '--no-target'], 'UsageError', 2],
  ] as const)('by %j, is refused as %s, and nothing is written', async (args, name, exit) => {
    const before = await versions();
    const refused = await cli('members', 'set', ...args);
    expect(refused.json()).toMatchObject({ ok: false, error: { name } });
    expect(refused.exit).toBe(exit);
    expect(await versions()).toBe(before);
  });

  test('nothing once it has left; and a suspension is not ended by it', async () => {
    await cli('members', 'suspend', 'bank-a');
    expect((await cli('members', 'set', 'bank-a', '--target')).json()).toMatchObject({ code: 'SUSPENDED' });
    await cli('members', 'remove', 'bank-a');
    const refused = await cli('members', 'set', 'bank-a', '--target');
    expect(refused.json()).toMatchObject({ error: { name: 'MemberActRefused' } });
    expect(refused.exit).toBe(5);
  });
});

describe('bad input', () => {
  test.each([
    ['a folder that cannot be made', '/proc/x', 'FileNotWritten', 4],
    ['no name', '', 'UsageError', 2],
    ['a folder in the place of a receipt', 'taken', 'FileExists', 2],
    ['a pipe in the place of a receipt', 'piped', 'FileExists', 2],
  ])('receipts are not written into %s, by name and at once', async (_, out, name, exit) => {
    await mkdir(join(world.cwd, 'taken/00000001.json'), { recursive: true });
    await mkdir(join(world.cwd, 'piped'));
    execFileSync('mkfifo', [join(world.cwd, 'piped/00000001.json')]);
    await cli('deliver');
    const refused = await cli('members', 'receipts', 'bank-a', '--out', out);
    expect([refused.json()['error'], refused.exit]).toMatchObject([{ name }, exit]);
  });

  test.each(['', 'a'.repeat(301), 'two\nlines', 'red \u001b[31m'])(
    'the reason %j of a suspension is refused',
    async (reason) => {
      const before = await versions();
      expect((await cli('members', 'suspend', 'bank-a', '--reason', reason)).exit).toBe(2);
      expect(await versions()).toBe(before);
    },
  );
});

test('the same destination is registered again by the name of the member alone', async () => {
  await cli('deliver');
  expect((await cli('members', 'add', 'bank-a', '--again', '--deliver')).json()).toMatchObject({ code: 'ACTIVE' });
  expect((await cli('deliver')).json()).toMatchObject({ members: [{ outcome: 'whole', objects: expect.any(Number) }] });
});

test('a delivery that meets a damaged receipt tells how it ended for the others', async () => {
  await mkdir(join(world.cwd, 'bank-b'));
  await cli('members', 'add', 'bank-b', '--folder', 'bank-b', '--deliver');
  await mkdir(join(world.cwd, 'vault/deliveries/bank-a'), { recursive: true });
  await writeFile(join(world.cwd, 'vault/deliveries/bank-a/99999999.json'), '');
  const told = await cli('deliver');
  expect([told.exit, told.json()]).toMatchObject([
    1,
    { code: 'DAMAGED', members: [{ member: 'bank-b', outcome: 'whole' }], damages: [{ name: 'NotADocument' }] },
  ]);
});
