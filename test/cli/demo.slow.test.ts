import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ended, type Said } from '../support/cli-world.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/ledgerhold.js');
const run = promisify(execFile);

(existsSync(PROGRAM) ? describe : describe.skip)(`the demo${existsSync(PROGRAM) ? '' : ' (dist is not built)'}`, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-test-'));
    // As root, PostgreSQL runs as another user.
    await chmod(folder, 0o755);
  });
  afterAll(() => rm(folder, { recursive: true }));

  // A folder for temporary files of its own shows what is left in it.
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { ...process.env, TMPDIR: folder } });
  const demo = (...more: string[]): Promise<Said> => ended(start(['demo', '--json', ...more]));

  const SHOWN = {
    code: 'DEMO_DONE',
    backup: { verdict: 'proven' },
    verify: { status: 'proven' },
    flipped: { violations: [expect.stringContaining('participant.dump')] },
    reversed: { violations: expect.arrayContaining([expect.stringMatching(/validator-app .* ahead of participant/)]) },
    drill: { outcome: 'passed', rtoMilliseconds: expect.any(Number) },
  };
  const leftovers = async () => (await readdir(folder)).filter((name) => name !== '.ledgerhold');

  const prove = () => {
    const at = '.ledgerhold/demo';
    const trust = ['--vault', `${at}/vault`, '--public-key', `${at}/public-key.pem`];
    return ended(start(['verify', '--all', '--deep', '--identity', `${at}/identity.txt`, '--json', ...trust]));
  };

  test.each([[[]], [['--pglite']]])(
    '%j shows a backup, its proof, two kinds of damage found, and a drill',
    async (more) => {
      const said = await demo(...more);
      expect(said).toMatchObject({ status: 0, json: SHOWN });
      expect(said.stderr).toContain('stand-in');
      // Nothing is left running, and nothing but what one can look at: a vault of this run and what opens it.
      const { stdout } = await run('ps', ['ax', '-o', 'args']);
      expect(stdout.split('\n').filter((line) => line.includes(folder))).toEqual([]);
      expect(await leftovers()).toEqual([]);
      expect(await prove()).toMatchObject({
        status: 0,
        json: { code: 'PROVEN_DEEP', sets: [{ set: 'validator-1/1' }] },
      });
    },
    180_000,
  );

  test('ends cleanly when it is interrupted', async () => {
    const child = start(['demo', '--json']);
    child.stderr.on('data', (text: Buffer) => {
      if (text.includes('backup')) child.kill('SIGINT');
    });
    expect(await ended(child)).toMatchObject({ status: 130, json: { ok: false, code: 'INTERRUPTED' } });
    expect(await leftovers()).toEqual([]);
  }, 120_000);
});
