import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';

let cwd = '';
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-cli-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe('the command line', () => {
  test('--help lists the verbs and ends with the exit codes', async () => {
    const { exit, stdout, stderr } = await runCli(['--help'], { cwd });
    expect(exit).toBe(0);
    expect(stdout).toContain('backup');
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/143 +terminated/);
    expect(stderr).toBe('');
  });

  test.each([[['backup', '--help']], [['help', 'backup']]])('%j shows the options of the verb', async (args) => {
    const { exit, stdout } = await runCli(args, { cwd });
    expect(exit).toBe(0);
    expect(stdout).toContain('--slot');
    expect(stdout).toContain('--config');
    expect(stdout).toContain('Exit codes:');
  });

  test('--version prints the version alone', async () => {
    expect(await runCli(['--version'], { cwd })).toMatchObject({ exit: 0, stdout: '0.0.0-test\n' });
  });

  test.each([
    ['no verb', []],
    ['an unknown verb', ['bakup']],
    ['an unknown option', ['sets', '--al']],
    ['an option without its value', ['backup', '--slot']],
    ['a value that is none of the choices', ['backup', '--reason', 'boredom']],
    ['a missing argument', ['show']],
    ['an argument too many', ['sets', 'one', 'two']],
  ])('%s ends with 2 and says what to do', async (_what, args) => {
    const { exit, stdout, stderr } = await runCli(args, { cwd });
    expect(exit).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('UsageError');
    const told = await runCli(['--json', ...args], { cwd });
    expect(told.json()).toMatchObject({ ok: false, code: 'USAGE_ERROR', error: { name: 'UsageError' } });
  });

  test('a missing config ends with 2 and names the file', async () => {
    const { exit, stderr, json } = await runCli(['plan', '--config', 'gone.yaml', '--json'], { cwd });
    expect(exit).toBe(2);
    expect(stderr).toContain('gone.yaml');
    expect(json()).toMatchObject({ ok: false, code: 'CONFIG_MISSING', error: { remedy: expect.any(String) } });
  });

  test('a bad config ends with 2 and lists each problem with line and column', async () => {
    await writeFile(join(cwd, 'bad.yaml'), 'netwrok: x\nvault: { folder: 3 }\n');
    const { exit, stderr, json } = await runCli(['backup', '--config', 'bad.yaml', '--json'], { cwd });
    expect(exit).toBe(2);
    expect(stderr).toContain('bad.yaml:1:1 netwrok: unknown key');
    const { error } = json() as { error: { problems: { path: string; line: number; column: number }[] } };
    expect(error.problems).toContainEqual(expect.objectContaining({ path: 'vault.folder', line: 2, column: 18 }));
  });

  test('global options may come before or after the verb', async () => {
    const before = await runCli(['--json', 'sets', '--vault', './none'], { cwd });
    const after = await runCli(['sets', '--vault', './none', '--json'], { cwd });
    expect(before.json()).toMatchObject({ ok: true, code: 'NO_SETS', sets: [] });
    expect(after.stdout).toBe(before.stdout);
  });
});

describe('init', () => {
  test('writes a config that is valid, and never overwrites it', async () => {
    expect(await runCli(['init', '--config', 'new.yaml'], { cwd })).toMatchObject({ exit: 0 });
    const written = await readFile(join(cwd, 'new.yaml'), 'utf8');
    expect(await runCli(['plan', '--config', 'new.yaml'], { cwd })).toMatchObject({ exit: 0 });
    const again = await runCli(['init', '--protocol', 'canton', '--config', 'new.yaml', '--json'], { cwd });
    expect(again.exit).toBe(2);
    expect(again.json()).toMatchObject({ code: 'FILE_EXISTS' });
    expect(await readFile(join(cwd, 'new.yaml'), 'utf8')).toBe(written);
  });
});
