import { existsSync } from 'node:fs';
import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signed } from '../../local/notify.ts';
import { type CliWorld, cliWorld, ended } from '../support/cli-world.ts';
import { bodyOf, type Loopback, serve } from '../support/loopback.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { describeWithMount, onSmallDisk } from '../support/small-disk.ts';

const built = existsSync(join(import.meta.dirname, '../../dist/ledgerhold.js'));
const describeHere = built
  ? describeWithPostgres
  : (name: string, tests: () => void) => describe.skip(`${name} (dist is not built)`, tests);

interface Call {
  readonly path: string;
  readonly body: string;
  readonly signature: string | undefined;
  readonly timestamp: string;
}

/** Takes webhooks and pings, and writes them down. */
async function listener(calls: Call[]): Promise<Loopback> {
  return serve((request, response) => {
    const header = (name: string) => request.headers[`ledgerhold-${name}`]?.toString();
    void bodyOf(request).then((body) => {
      calls.push({
        path: request.url ?? '',
        body,
        signature: header('signature'),
        timestamp: header('timestamp') ?? '',
      });
      response.end();
    });
  });
}

describeHere('serve', () => {
  let world: CliWorld;
  let listening: Loopback;
  const calls: Call[] = [];
  const env = { HOOK_SECRET: 'shared' };
  const heard = () => calls.splice(0);
  /** A config with vaults of its own, `<name>-1` and `<name>-2`. */
  const configFor = (name: string, every: string, vault = `./${name}-1`) =>
    world.config(
      `${name}.yaml`,
      `${world.yaml.replace('protocol: splice\n', `protocol: splice\n    every: ${every}\n`).replace('./vault', vault)}
secondVault: { folder: ./${name}-2 }
retention: { keepLast: 2 }
notify:
  command: ['${process.execPath}', tell.mjs]
  webhook: { url: '${listening.origin}/hook', secret: { env: HOOK_SECRET } }
  deadMansSwitch: { url: '${listening.origin}/ping' }
`,
    );
  const once = (config: string) => world.run(['serve', '--once', '--config', config], env);
  const setsIn = async (vault: string) =>
    (await world.run(['sets', '--vault', vault])).json['sets'] as { set: string; state: string }[];

  beforeAll(async () => {
    world = await cliWorld();
    listening = await listener(calls);
    await writeFile(
      join(world.folder, 'tell.mjs'),
      `import { appendFileSync, readFileSync } from 'node:fs'; appendFileSync('told', readFileSync(0));`,
    );
  }, 60_000);
  afterAll(async () => {
    await listening[Symbol.asyncDispose]();
    await world.stop();
  });

  test('--once seals what is due, copies it, and pings', async () => {
    heard();
    const config = await configFor('once', '1 week');
    const { status, json } = await once(config);
    expect({ status, code: json.code, nodes: json['nodes'] }).toMatchObject({
      ...{ status: 0, code: 'SERVED' },
      nodes: [{ node: 'validator-1', state: 'done', outcome: 'sealed', set: 'validator-1/1', verdict: 'proven' }],
    });
    expect(heard().map(({ path }) => path)).toEqual(['/ping']);
    expect((await once(config)).json['nodes']).toMatchObject([{ state: 'done', outcome: 'already' }]);
    const copy = ['verify', '--all', '--vault', './once-2', '--public-key', 'public-key.pem'];
    expect((await world.run(copy)).json).toMatchObject({ ok: true, code: 'PROVEN' });
  }, 60_000);

  test('runs slot after slot, lets old sets expire in both vaults, and ends with 143 when it is terminated', async () => {
    const server = world.start(['serve', '--config', await configFor('loop', '3 seconds')], env);
    const over = ended(server);
    try {
      // Fewer than a test's time allows for; each takes three seconds.
      for (let look = 0; look < 100 && (await setsIn('./loop-2')).length < 6; look += 1) await sleep(500);
    } finally {
      server.kill('SIGTERM');
    }
    expect((await over).status).toBe(143);
    expect((await setsIn('./loop-2')).length).toBeGreaterThanOrEqual(6);
    for (const vault of ['./loop-1', './loop-2']) {
      const live = (await setsIn(vault)).filter(({ state }) => state === 'kept').length;
      // What was sealed last may not have been followed by its retention and copy.
      expect([2, 3]).toContain(live);
      const proof = ['verify', '--all', '--vault', vault, '--public-key', 'public-key.pem'];
      expect((await world.run(proof)).json).toMatchObject({ ok: true });
    }
  }, 120_000);

  test('tells a failure by command and by a signed webhook, does not ping, and tells the recovery', async () => {
    heard();
    world.validator.fail('server-error');
    const config = await configFor('fails', '1 week');
    const failed = await once(config).finally(() => world.validator.fail(undefined));
    expect({ status: failed.status, code: failed.json.code }).toEqual({ status: 4, code: 'VALIDATOR_FAILED' });
    const [call, ...more] = heard();
    expect(more).toEqual([]);
    expect(call).toMatchObject({ path: '/hook', signature: signed('shared', call?.timestamp ?? '', call?.body ?? '') });
    expect(JSON.parse(call?.body ?? '')).toMatchObject({
      ...{ alarm: 'RUN_FAILED', state: 'raised', node: 'validator-1', network: 'acme' },
      error: { name: 'ValidatorFailed' },
    });
    expect((await readFile(join(world.folder, 'told'), 'utf8')).split('\n')).toContain(call?.body);

    expect((await once(config)).status).toBe(0);
    expect(heard().map(({ path, body }) => (path === '/hook' ? JSON.parse(body).state : path))).toEqual([
      ...['cleared', '/ping'],
    ]);
  }, 60_000);

  describeWithMount('on a small disk', () => {
    test('does not start a run whose set will not fit, leaves nothing half-written, and goes on when there is room', () => {
      const disk = join(world.folder, 'full');
      return onSmallDisk(disk, '64m', async () => {
        const config = await configFor('full', '3 seconds', './full/vault');
        expect((await once(config)).status).toBe(0);
        const { bavail, bsize } = await statfs(disk);
        await writeFile(join(disk, 'filler'), Buffer.alloc((bavail - 1) * bsize));
        await sleep(3000);
        const full = await once(config);
        expect({ status: full.status, code: full.json.code }).toEqual({ status: 4, code: 'DISK_TOO_FULL' });
        const proof = ['verify', '--all', '--vault', './full/vault', '--public-key', 'public-key.pem'];
        expect((await world.run(proof)).json).toMatchObject({ ok: true, code: 'PROVEN' });
        await rm(join(disk, 'filler'));
        expect((await once(config)).status).toBe(0);
      });
    }, 60_000);
  });
});
