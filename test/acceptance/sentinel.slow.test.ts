import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demoParticipant } from '../../demo/participant.ts';
import { ageDecryption } from '../../io/age.ts';
import { runCli } from '../support/cli.ts';
import { type CliWorld, cliWorld, readText, type Said } from '../support/cli-world.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { processes } from '../support/processes.ts';
import { finder, readAll, sentinel } from '../support/sentinels.ts';

const KEYS = ['namespace', 'signing', 'encryption'] as const;

describeWithPostgres('secrets', () => {
  const secrets = new Map<string, string>([...KEYS, 'database password'].map((name) => [name, sentinel()]));
  /** What was seen of them, and where; empty is what is wanted. */
  const seen = new Set<string>();
  let world: CliWorld;
  let scratch: string;
  let find: (bytes: Buffer) => string[];
  let env: Record<string, string>;
  let everything: readonly Said[];

  beforeAll(async () => {
    const who = demoParticipant('sentinel-validator', (purpose) => Buffer.from(secrets.get(purpose) ?? ''));
    world = await cliWorld({ who, megabytes: 2 });
    secrets.set('client secret', world.secret);
    // As every token of the identity provider begins.
    secrets.set('token', Buffer.from('{"alg":"RS256","typ":"JWT","kid":"').toString('base64url'));
    find = finder(secrets);
    scratch = join(world.folder, 'tmp');
    await mkdir(scratch);
    const password = secrets.get('database password') ?? '';
    const admin = await connectTo(world.network.appUrl);
    await admin.query(`CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '${password}'`);
    await admin.end();
    const asKeeper = (url: string) => url.replace(/\/\/[^@]*@/, `//keeper:${password}@`);
    env = {
      TMPDIR: scratch,
      VALIDATOR_DB_URL: asKeeper(world.network.appUrl),
      PARTICIPANT_DB_URL: asKeeper(world.network.participantUrl),
    };
    everything = await watching(allVerbs);
  }, 240_000);
  afterAll(() => world.stop());

  const isDump = (line: string) => line.includes(`port='${world.network.server.port}'`);

  /** Looks at temporary files, command lines and the environment of PostgreSQL's programs as long as `work` takes. */
  async function watching<T>(work: () => Promise<T>): Promise<T> {
    let over = false;
    let dumps = 0;
    const watch = (async () => {
      while (!over) {
        for (const { name, bytes } of await readAll(scratch)) {
          for (const secret of find(bytes)) seen.add(`${secret} in ${name}`);
        }
        for (const { line, environment } of await processes()) {
          for (const secret of find(Buffer.from(line))) seen.add(`${secret} on the command line ${line}`);
          if (!isDump(line)) continue;
          dumps += 1;
          for (const secret of find(Buffer.from(environment))) seen.add(`${secret} in the environment of ${line}`);
        }
        await sleep(1);
      }
    })();
    try {
      const result = await work();
      // It must look while dumps run, which take a fraction of a second: on a busy machine it is given more of them.
      for (let more = 0; dumps === 0 && more < 20; more++) {
        const { status } = await world.run(['backup', '--slot', `looked-at-${performance.now().toFixed(0)}`], env);
        expect(status).toBe(0);
      }
      expect(dumps).toBeGreaterThan(0);
      return result;
    } finally {
      over = true;
      await watch;
    }
  }

  async function allVerbs(): Promise<Said[]> {
    const run = (args: readonly string[], more: Record<string, string> = {}) => world.run(args, { ...env, ...more });
    const said = [await run(['backup', '--slot', 'good'])];
    const id = ['--identity', 'identity.txt'];
    for (const verb of [
      ['plan'],
      ['sets'],
      ['show', 'latest'],
      ['status'],
      ['doctor', ...id],
      ['verify', '--deep', ...id],
    ]) {
      said.push(await run(verb));
    }
    expect(said.map(({ status }) => status)).toEqual(said.map(() => 0));
    said.push(await run(['restore', 'plan', '--out', 'plan.json']));
    const failing = (slot: string, more = {}) => run(['backup', '--slot', slot, '--config', 'registered.yaml'], more);
    const registered = `protocol: splice\n    participant: ${world.network.who.id}`;
    await world.config('registered.yaml', world.yaml.replace('protocol: splice', registered));
    for (const fault of ['foreign', 'truncated', 'server-error'] as const) {
      world.validator.fail(fault);
      said.push(await failing(fault));
    }
    world.validator.fail(undefined);
    const wrong = (env['PARTICIPANT_DB_URL'] ?? '').replace('/participant', '/nowhere');
    said.push(await failing('nowhere', { PARTICIPANT_DB_URL: wrong }));
    const down = (env['PARTICIPANT_DB_URL'] ?? '').replace(/:\d+\//, ':1/');
    said.push(await failing('down', { PARTICIPANT_DB_URL: down, VALIDATOR_SECRET: secrets.get('signing') ?? '' }));
    said.push(await run(['status']));
    return said;
  }

  test('are in nothing that is printed, in either form', async () => {
    const inJson = everything.flatMap(({ stdout, stderr }) => find(Buffer.from(stdout + stderr)));
    expect(inJson).toEqual([]);
    const options = { cwd: world.folder, env: { ...world.env, ...env } };
    for (const verb of [['show', 'latest'], ['status'], ['plan'], ['sets'], ['verify'], ['doctor']]) {
      const { stdout, stderr } = await runCli(verb, options);
      expect(stdout).toMatch(/\w/);
      expect(find(Buffer.from(stdout + stderr))).toEqual([]);
    }
  }, 60_000);

  test('are in no temporary file, on no command line, in no environment of a program that we start', () => {
    expect([...seen]).toEqual([]);
  });

  test('are in no file of the vault, nor in any other that a run leaves', async () => {
    // One vault of these tests lies in clear on purpose.
    const files = (await readAll(world.folder)).filter(({ name }) => !name.startsWith(join(world.folder, 'clear')));
    expect(files.filter(({ name }) => name.includes('/vault/')).length).toBeGreaterThan(20);
    expect(files.flatMap(({ name, bytes }) => find(bytes).map((secret) => `${secret} in ${name}`))).toEqual([]);
    expect(files.filter(({ name }) => name.startsWith(scratch))).toEqual([]);
  });

  test('are in the artifacts once these are decrypted, so that looking finds them', async () => {
    const decrypt = ageDecryption(await readText(world, 'identity.txt'));
    const found = new Map<string, string[]>();
    for (const { name } of (await readAll(join(world.folder, 'vault'))).filter(({ name }) =>
      name.includes('/good/1/'),
    )) {
      if (!name.endsWith('.age')) continue;
      const clear = await buffered(decrypt(only(await readFile(name))));
      found.set(name.split('/').at(-1) ?? '', find(clear));
    }
    expect(Object.fromEntries(found)).toEqual({
      'identities.json.zst.age': [...KEYS],
      'participant.dump.zst.age': [...KEYS],
      'validator-app.dump.zst.age': [],
    });
  });

  test('lie in clear with encryption: none, where looking finds them', async () => {
    const yaml = world.yaml.replace(/encryption: .*/, 'encryption: none').replace('./vault', './clear');
    const said = await world.run(['backup', '--config', await world.config('clear.yaml', yaml)], env);
    expect(said).toMatchObject({ status: 0, stderr: expect.stringContaining('encryption: none') });
    const found = (await readAll(join(world.folder, 'clear'))).flatMap(({ bytes }) => find(bytes));
    expect([...new Set(found)].sort()).toEqual([...KEYS].sort());
  }, 60_000);
});

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function buffered(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
