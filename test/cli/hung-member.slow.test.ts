import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type ChainCli, chainCli } from '../support/chain-cli.ts';
import { PROGRAM } from '../support/cli-world.ts';

jest.setTimeout(90_000);

const MEMBERS = ['bank-a', 'bank-b', 'bank-hung'];

let world: ChainCli;
let running: ChildProcess | undefined;
beforeEach(async () => {
  world = await chainCli(24);
  expect((await world.cli('serve', '--once')).exit).toBe(0);
  for (const member of MEMBERS) {
    await mkdir(join(world.cwd, member));
    await world.cli('members', 'add', member, '--folder', member, '--deliver');
  }
  execFileSync('mkfifo', [join(world.cwd, 'pipe')]);
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await world[Symbol.asyncDispose]();
});

/** The program itself, with a folder whose disk is dead. */
function deliver(haste: number) {
  const preload = pathToFileURL(join(import.meta.dirname, '../support/hung-disk.mjs')).href;
  const env = {
    ...{ ...process.env, NODE_OPTIONS: `--import ${preload}`, HASTE: String(haste) },
    ...{ HUNG: join(world.cwd, 'bank-hung'), PIPE: join(world.cwd, 'pipe') },
  };
  const child = spawn(process.execPath, [PROGRAM, 'deliver', '--json'], { cwd: world.cwd, env });
  running = child;
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as { code: number; signal: string });
  return { child, said: text(child.stdout), ended };
}

const whole = (member: string) =>
  existsSync(join(world.cwd, member, 'ledgerhold/acme', member, 'chain/consortium/manifests/00000001.json'));

test('a member whose disk is dead is told by name, and the program ends though threads of it hang', async () => {
  const { said, ended } = deliver(100);
  expect(await ended).toEqual({ code: 4, signal: null });
  expect(JSON.parse((await said).trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
    code: 'MEMBER_FAILED',
    members: [
      { member: 'bank-a', outcome: 'whole' },
      { member: 'bank-b', outcome: 'whole' },
      { member: 'bank-hung', outcome: 'failed', fault: { message: expect.stringContaining('has not answered for') } },
    ],
  });
  expect(MEMBERS.map(whole)).toEqual([true, true, false]);
});

test('a second Ctrl-C ends the program though threads of it hang', async () => {
  const { child, ended } = deliver(1);
  while (!(whole('bank-a') && whole('bank-b'))) await sleep(50);
  child.kill('SIGINT');
  await sleep(500);
  expect(child.exitCode).toBeNull();
  child.kill('SIGINT');
  expect(await ended).toEqual({ code: 130, signal: null });
});
