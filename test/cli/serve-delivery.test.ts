import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
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
