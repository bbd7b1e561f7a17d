import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { loadConfig } from '../../cli/context.ts';
import { deliverAndTell } from '../../cli/serve-delivery.ts';
import { type ChainCli, chainCli } from '../support/chain-cli.ts';

jest.setTimeout(60_000);

let world: ChainCli;
let now: Date;
beforeEach(async () => {
  now = new Date('2026-11-01T00:00:30Z');
  world = await chainCli(24, () => now);
  for (const member of ['bank-a', 'bank-b']) {
    await mkdir(join(world.cwd, member));
    await world.cli('members', 'add', member, '--folder', member, '--deliver');
  }
});
afterEach(async () => world[Symbol.asyncDispose]());

const members = async () => (await world.cli('members', 'list')).json()['members'];

test('serve delivers what it has sealed, tells who is suspended, and serves the others all the same', async () => {
  const served = await world.cli('serve', '--once');
  expect(served.json()).toMatchObject({ code: 'SERVED' });
  expect(served.stderr).toMatch(/bank-b: \d+ objects delivered/);
  expect(await members()).toMatchObject([{ progress: 1 }, { progress: 1 }]);

  await rename(join(world.cwd, 'bank-b'), join(world.cwd, 'away'));
  now = new Date('2026-11-01T06:00:30Z');
  const again = await world.cli('serve', '--once');
  expect(again.json()).toMatchObject({ code: 'SERVED' });
  expect(again.stderr).toContain('bank-b: MEMBER_SUSPENDED raised: ANOTHER_FOLDER');
  expect(await members()).toMatchObject([{ progress: 1, fault: null }, { state: 'suspended' }]);
});

test('serve looks at a destination again after a week', async () => {
  await world.cli('serve', '--once');
  now = new Date('2026-11-09T00:00:30Z');
  await world.cli('serve', '--once');
  expect(await members()).toMatchObject([{ check: { at: now.toISOString() } }, { check: { at: now.toISOString() } }]);
});

test('a damaged receipt is told of its member, and keeps no other from being told of, looked at and read back', async () => {
  await mkdir(join(world.cwd, 'bank-c'));
  await world.cli('members', 'add', 'bank-c', '--folder', 'bank-c', '--deliver');
  await world.cli('serve', '--once');
  const receipts = join(world.cwd, 'vault', 'deliveries', 'bank-a');
  const [receipt = ''] = (await readdir(receipts)).filter((name) => name.endsWith('.json')).toReversed();
  await writeFile(join(receipts, receipt), '{}');
  await rename(join(world.cwd, 'bank-c'), join(world.cwd, 'away'));
  now = new Date('2026-11-09T00:00:30Z');
  const { stderr } = await world.cli('serve', '--once');
  expect(stderr).toMatch(/bank-a: MEMBER_SUSPENDED raised: .*deliveries\/bank-a/);
  expect(stderr).toContain('bank-c: MEMBER_SUSPENDED raised: ');
  expect(stderr).not.toContain('bank-b: MEMBER_SUSPENDED');
  expect(stderr).toMatch(/bank-b: \d+ objects read back/);
  expect(await members()).toMatchObject([
    { member: 'bank-b', check: { at: now.toISOString() } },
    { member: 'bank-c', state: 'suspended' },
    { member: 'bank-a', state: 'unreadable' },
  ]);
});

test('a damaged chain is told, and keeps nobody from being told who is suspended', async () => {
  await world.cli('serve', '--once');
  const manifests = join(world.cwd, 'vault', 'chain', 'consortium', 'manifests');
  const [manifest = ''] = (await readdir(manifests)).filter((name) => name.endsWith('.json')).toReversed();
  await writeFile(join(manifests, manifest), '{}');
  await rename(join(world.cwd, 'bank-b'), join(world.cwd, 'away'));
  now = new Date('2026-11-09T00:00:30Z');
  const { stderr } = await world.cli('serve', '--once');
  expect(stderr).toContain('how far members are with consortium cannot be told: ');
  expect(stderr).toContain('bank-b: MEMBER_SUSPENDED raised: NO_SUCH_FOLDER');
  const listed = await world.cli('members', 'list');
  expect(listed.json()).toMatchObject({ code: 'DAMAGED', members: [{ state: 'active' }, { state: 'suspended' }] });
  expect((await world.cli('status')).json()).toMatchObject({ code: 'DAMAGED', members: [{}, { state: 'suspended' }] });
});

test('what keeps everybody from being read back keeps nobody from being told of', async () => {
  await world.cli('serve', '--once');
  const versions = join(world.cwd, 'vault', 'members', 'bank-b');
  const [newest = ''] = (await readdir(versions)).toSorted().toReversed();
  await writeFile(join(versions, newest), '{}');
  await rename(join(world.cwd, 'signing-key.pem'), join(world.cwd, 'lost.pem'));
  const notes: string[] = [];
  const shell = {
    cwd: world.cwd,
    env: {},
    flags: { config: 'ledgerhold.yaml' },
    clock: { now: () => now },
    note: (text: string) => notes.push(text),
  };
  const loaded = await loadConfig(shell as never);
  const raised: unknown[] = [];
  const board = { raise: async (...[name, about]: unknown[]) => raised.push([name, about]), clear: async () => {} };
  await deliverAndTell({ shell, loaded } as never, board as never, AbortSignal.any([]));
  expect(notes.join()).toMatch(/what members have was not read back: .*signing-key/);
  expect(raised).toEqual([['MEMBER_SUSPENDED', 'bank-b']]);
});
