import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findAnvil } from '../../demo/anvil.ts';
import { ended, type Said } from '../support/cli-world.ts';
import { findGeth } from '../support/geth.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/ledgerhold.js');
const run = promisify(execFile);

(existsSync(PROGRAM) ? describe : describe.skip)(`the demo${existsSync(PROGRAM) ? '' : ' (dist is not built)'}`, () => {
  let folder: string;
  /** The program as a user's npm install leaves it: without what only a checkout brings. */
  let installed: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    // As root, PostgreSQL runs as another user.
    await chmod(folder, 0o755);
    installed = await mkdtemp(join(tmpdir(), 'ledgerhold-installed-'));
    await install(installed);
  });
  afterAll(() => Promise.all([folder, installed].map((each) => rm(each, { recursive: true }))));

  // A folder for temporary files of its own shows what is left in it.
  const start = (args: readonly string[], program = PROGRAM) =>
    spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, TMPDIR: folder } });

  const SHOWN = {
    code: 'DEMO_DONE',
    backup: { verdict: 'proven' },
    verify: { status: 'proven' },
    flipped: { violations: [expect.stringContaining('participant.dump')] },
    reversed: { violations: expect.arrayContaining([expect.stringMatching(/validator-app .* ahead of participant/)]) },
    drill: { outcome: 'passed', rtoMilliseconds: expect.any(Number) },
  };
  // The same blocks on every machine: nothing in them is of chance or of the time.
  const HEAD = { number: 148, hash: '0x597fc665ef9484ff12c1567fe74838075932bfc70ddf4a7cd47b7ef9bab8419b' };
  const CHAIN = {
    first: { outcome: 'sealed', seq: 1, files: [{ start: { number: 0 }, end: { number: 98 }, transactions: 195 }] },
    stalled: { error: { name: 'ConsensusStalled', message: expect.stringContaining('bank-b NodeUnavailable') } },
    second: { outcome: 'sealed', seq: 2, fence: 2, head: HEAD, files: [{ start: { number: 99 }, end: HEAD }] },
    verify: { status: 'proven', chains: [{ node: 'consortium', head: HEAD }] },
    members: {
      away: { members: [{ outcome: 'whole' }, { outcome: 'suspended', fault: { name: 'ANOTHER_FOLDER' } }] },
      whole: {
        members: ['bank-a', 'bank-b', 'bank-c'].map((member) => ({ member, outcome: 'whole', totals: { files: 2 } })),
      },
      verified: { 'bank-a': 'PROVEN', 'bank-b': 'PROVEN', 'bank-c': 'PROVEN' },
    },
  };
  const leftovers = async () => (await readdir(folder)).filter((name) => name !== '.ledgerhold');

  // A node of the chain is started with a file of the folder's, too.
  const running = async () => {
    const { stdout } = await run('ps', ['ax', '-o', 'args']);
    return stdout.split('\n').filter((line) => line.includes(folder));
  };

  const prove = () => {
    const at = '.ledgerhold/demo';
    const trust = ['--vault', `${at}/vault`, '--public-key', `${at}/public-key.pem`];
    return ended(start(['verify', '--all', '--deep', '--identity', `${at}/identity.txt`, '--json', ...trust]));
  };

  async function showsTheValidator(said: Said): Promise<void> {
    expect(said).toMatchObject({ status: 0, json: SHOWN });
    expect(said.stderr).toContain('stand-in');
    // Nothing is left running, and nothing but what one can look at: a vault of this run and what opens it.
    expect(await running()).toEqual([]);
    expect(await leftovers()).toEqual([]);
    expect(await prove()).toMatchObject({
      status: 0,
      json: { code: 'PROVEN_DEEP', sets: [{ set: 'validator-1/1' }] },
    });
  }

  const withNodes = findAnvil(import.meta.url) === undefined ? test.skip : test;

  withNodes(
    'shows a backup, its proof, two kinds of damage found, a drill, and a chain of real nodes',
    async () => {
      const said = await ended(start(['demo', '--json']));
      await showsTheValidator(said);
      expect(said.json['chain']).toMatchObject(CHAIN);
      expect(said.stderr).toMatch(/ConsensusStalled: .*bank-b NodeUnavailable/);
      const restored = { outcome: 'passed', set: 'consortium/2' };
      if (findGeth('1.17.8') !== undefined) expect(said.json['chain']).toMatchObject({ drill: restored });
      expect((await prove()).json).toMatchObject({ chains: [{ node: 'consortium', head: HEAD }] });
    },
    180_000,
  );

  test('shows all but the chain with what npm installs for a user and without PostgreSQL, and names what is missing', async () => {
    const said = await ended(start(['demo', '--json', '--pglite'], join(installed, 'dist/ledgerhold.js')));
    await showsTheValidator(said);
    expect(said.json).toMatchObject({ chain: null });
    expect(said.stderr).toContain('left out: npm has not brought @foundry-rs/anvil');
    expect((await prove()).json).toMatchObject({ chains: [] });
  }, 180_000);

  test.each([['backup: capture'], ['bank-b stopped']])(
    'ends cleanly when it is interrupted at "%s"',
    async (moment) => {
      const child = start(['demo', '--json', '--pglite']);
      child.stderr.on('data', (text: Buffer) => {
        if (text.includes(moment)) child.kill('SIGINT');
      });
      expect(await ended(child)).toMatchObject({ status: 130, json: { ok: false, code: 'INTERRUPTED' } });
      expect(await running()).toEqual([]);
      expect(await leftovers()).toEqual([]);
    },
    120_000,
  );
});

async function install(to: string): Promise<void> {
  const root = join(import.meta.dirname, '../..');
  await cp(join(root, 'dist'), join(to, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(to, 'package.json'));
  await mkdir(join(to, 'node_modules'));
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === '@foundry-rs') continue;
    await symlink(join(root, 'node_modules', name), join(to, 'node_modules', name));
  }
}
