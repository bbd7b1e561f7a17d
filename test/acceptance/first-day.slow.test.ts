import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CliWorld, cliWorld, ended, PROGRAM, type Said } from '../support/cli-world.ts';
import { describeWithPostgres } from '../support/postgres.ts';

const missing = ['age-keygen', 'openssl'].filter((tool) => spawnSync('which', [tool]).status !== 0);
const describeWithTools: typeof describeWithPostgres =
  missing.length === 0
    ? describeWithPostgres
    : (name) => describe.skip(`${name} (${missing.join(', ')} not installed)`, () => test.todo('needs them'));

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly text: string;
  readonly remedy?: string;
}

describeWithTools('somebody’s first day, by nothing but what init writes and doctor says', () => {
  let world: CliWorld;
  let home: string;
  let yaml: string;
  const file = () => join(home, 'ledgerhold.yaml');
  const cli = (...args: string[]): Promise<Said> =>
    ended(spawn(process.execPath, [PROGRAM, ...args, '--json'], { cwd: home, env: { ...process.env, ...world.env } }));
  const findings = (said: Said) => said.json['findings'] as Finding[];

  beforeAll(async () => {
    world = await cliWorld();
  }, 60_000);
  afterAll(() => world.stop());
  beforeEach(async () => {
    home = await mkdtemp(join(world.folder, 'home-'));
    expect(await cli('init')).toMatchObject({ status: 0, json: { code: 'WRITTEN' } });
    yaml = await readFile(file(), 'utf8');
  }, 30_000);

  test('before anything is filled in, every verb says what is missing, and none is a bug', async () => {
    const said = await cli('doctor');
    expect(said).toMatchObject({ status: 2, json: { code: 'UNHEALTHY' } });
    const failed = findings(said).filter(({ level }) => level === 'fail');
    expect(failed.map(({ check }) => check)).toEqual(expect.arrayContaining(['signing', 'encryption', 'databases']));
    for (const finding of failed) expect(finding).toMatchObject({ remedy: expect.stringMatching(/\w/) });
    for (const verb of ['backup', 'verify']) expect(await cli(verb)).toMatchObject({ status: 2 });
    for (const verb of ['plan', 'sets', 'status']) expect(await cli(verb)).toMatchObject({ status: 0 });
    expect(await cli('init')).toMatchObject({ status: 2, json: { error: { name: 'FileExists' } } });
    expect(await readFile(file(), 'utf8')).toBe(yaml);
  }, 60_000);

  test('with the commands of its comments and one’s own addresses, it is healthy, and the first set is proven', async () => {
    const commands = yaml.match(/(?<=^# {2,})openssl .*/gm) ?? [];
    expect(commands).toHaveLength(2);
    for (const command of commands) execFileSync('sh', ['-c', command], { cwd: home, stdio: 'ignore' });
    execFileSync('age-keygen', ['-o', 'identity.txt'], { cwd: home, stdio: 'ignore' });
    const recipient = execFileSync('age-keygen', ['-y', 'identity.txt'], { cwd: home, encoding: 'utf8' }).trim();
    // What is left of the example as it is: vault, signing, time zone, `every`, retention.
    const nodes = world.yaml.replace(/^[^]*?( {4}identities:)/, '$1');
    const own = yaml
      .replace('age1-put-your-recipient-here', recipient)
      .replace(/ {4}identities:[^]*?(?=\n# Kept)/, nodes);
    await writeFile(file(), own);

    const identity = ['--identity', 'identity.txt'];
    const healthy = await cli('doctor', ...identity);
    expect({ status: healthy.status, worst: findings(healthy).filter(({ level }) => level === 'fail') }).toEqual({
      status: 0,
      worst: [],
    });
    expect(await cli('backup')).toMatchObject({ status: 0, json: { code: 'SEALED', verdict: 'proven' } });
    expect(await cli('verify', '--deep', ...identity, '--public-key', 'public-key.pem')).toMatchObject({ status: 0 });
    const after = findings(await cli('doctor', ...identity));
    expect(after.filter(({ text }) => text.startsWith('the identity opens'))).toHaveLength(1);
  }, 60_000);
});
