import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EndpointFault } from '../../demo/validator-endpoint.ts';
import { type CliWorld, cliWorld, ended } from '../support/cli-world.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';

const built = existsSync(join(import.meta.dirname, '../../dist/ledgerhold.js'));
const describeHere = built
  ? describeWithPostgres
  : (name: string, tests: () => void) => describe.skip(`${name} (dist is not built)`, tests);

describeHere('backup of a validator at work', () => {
  let world: CliWorld;
  const cli: CliWorld['run'] = (args, env) => world.run(args, env);
  const setsNow = async () => ((await cli(['sets'])).json['sets'] as { set: string }[]).length;

  beforeAll(async () => {
    world = await cliWorld();
  }, 60_000);
  afterAll(() => world.stop());

  test('seals a proven set, whose slot is then done, and which verify proves', async () => {
    const first = await cli(['backup', '--slot', '2026-11-21T10:00:00+01:00', '--reason', 'pre-upgrade']);
    expect(first.json).toMatchObject({
      ok: true,
      code: 'SEALED',
      set: first.json['set'],
      slot: '2026-11-21T09:00:00Z',
    });
    const again = await cli(['backup', '--slot', '2026-11-21T09:00:00Z']);
    expect(again.json).toMatchObject({ ok: true, code: 'ALREADY_SEALED', set: first.json['set'] });
    const proof = await cli(['verify', '--deep', '--identity', 'identity.txt']);
    expect(proof.json).toMatchObject({ ok: true, code: 'PROVEN_DEEP' });
    const doctor = await cli(['doctor', '--identity', 'identity.txt']);
    expect(doctor.json).toMatchObject({ ok: true, code: 'HEALTHY' });
  }, 60_000);

  test('whose Scan is away is sealed with a warning, told on stderr and in the JSON', async () => {
    const yaml = world.yaml.replace('    identities:', '    scan: http://127.0.0.1:9\n    identities:');
    const said = await cli(['backup', '--slot', 'scan-away', '--config', await world.config('scan.yaml', yaml)]);
    expect(said.json).toMatchObject({ ok: true, code: 'SEALED' });
    const told = expect.stringMatching(/identities\.serial is unavailable: /);
    expect(said.json['warnings']).toContainEqual(told);
    expect(said.stderr).toEqual(told);
  }, 60_000);

  test('the same slot run twice at the same moment gives one set', async () => {
    const before = await setsNow();
    const both = await Promise.all([1, 2].map(() => cli(['backup', '--slot', 'twice'])));
    const codes = both.map((result) => result.json.code).sort();
    expect(codes).toEqual(['SEALED', 'SLOT_RUNNING']);
    expect(both.map(({ status }) => status).sort()).toEqual([0, 4]);
    expect(await setsNow()).toBe(before + 1);
  }, 60_000);

  test.each<[EndpointFault, string, number]>([
    ['html', 'NotIdentities', 1],
    ['truncated', 'HostUnreachable', 4],
    ['redirect', 'RedirectRefused', 1],
    ['huge', 'BodyTooLarge', 1],
    ['unauthorized', 'NotAnAdministrator', 2],
    ['not-found', 'IdentitiesNotServed', 4],
    ['server-error', 'ValidatorFailed', 4],
  ])(
    'an endpoint that answers with %s fails the run as %s with %i, and leaves no set',
    async (fault, name, exit) => {
      const before = await setsNow();
      world.validator.fail(fault);
      const result = await cli(['backup', '--slot', `fault-${fault}`]).finally(() => world.validator.fail(undefined));
      expect(result.json).toMatchObject({ ok: false, error: { name, remedy: expect.any(String) } });
      expect(result.status).toBe(exit);
      expect(await setsNow()).toBe(before);
      expect(result.stdout + result.stderr).not.toContain(world.secret);
    },
    60_000,
  );

  test.each([
    [
      'a server that is down',
      { PARTICIPANT_DB_URL: 'postgres://u:sentinel-pw@127.0.0.1:1/participant' },
      'DatabaseUnavailable',
      4,
    ],
    ['a database that is not there', { PARTICIPANT_DB_URL: '/nowhere' }, 'NoSuchDatabase', 2],
    ['a variable that is not set', { PARTICIPANT_DB_URL: '' }, 'SecretMissing', 2],
    ['the app’s database twice', { PARTICIPANT_DB_URL: '/validator' }, 'ConfigInvalid', 2],
    ['another part’s database', { PARTICIPANT_DB_URL: '/postgres' }, 'WrongDatabase', 1],
  ])(
    '%s fails the run by name, and shows no password',
    async (_what, env, name, exit) => {
      const url = env.PARTICIPANT_DB_URL;
      const meant = url.startsWith('/') ? world.network.participantUrl.replace(/\/participant$/, url) : url;
      const result = await cli(['backup', '--slot', 'bad-database'], { PARTICIPANT_DB_URL: meant });
      expect(result.json).toMatchObject({ ok: false, error: { name } });
      expect(result.status).toBe(exit);
      expect(result.stdout + result.stderr).not.toContain('sentinel-pw');
    },
    60_000,
  );

  test('another participant than the registered one is refused', async () => {
    const yaml = world.yaml.replace(
      'protocol: splice',
      `protocol: splice\n    participant: PAR::other::1220${'0'.repeat(64)}`,
    );
    const result = await cli(['backup', '--config', await world.config('foreign.yaml', yaml)]);
    expect(result.json).toMatchObject({ ok: false, error: { name: expect.stringMatching(/^Foreign/) } });
    expect(result.status).toBe(1);
  }, 60_000);

  test('an interrupted run ends with 130, leaves no set and nothing half-written, and the slot can be run again', async () => {
    const before = await setsNow();
    const yaml = world.yaml.replace('protocol: splice', 'protocol: splice\n    rateLimit: 200 kB/s');
    const config = await world.config('slow.yaml', yaml);
    const run = world.start(['backup', '--config', config, '--slot', 'interrupted']);
    const result = ended(run);
    await once(run.stderr as Readable, 'data');
    await sleep(500);
    run.kill('SIGINT');
    expect(await result).toMatchObject({ status: 130, json: { ok: false, code: 'INTERRUPTED' } });
    expect(await setsNow()).toBe(before);
    expect(await readdir(join(world.folder, 'vault/.ledgerhold-tmp')).catch(() => [])).toEqual([]);
    expect((await cli(['status'])).json).toMatchObject({ nodes: [{ failed: { slot: 'interrupted' } }] });
    const again = await cli(['backup', '--slot', 'interrupted']);
    expect(again.json).toMatchObject({ code: 'SEALED', fence: 2 });
  }, 90_000);

  test('a schema that is not known is sealed, and ends with 3', async () => {
    const client = await connectTo(world.network.appUrl);
    const schema = (
      await client.query("SELECT schemaname FROM pg_tables WHERE tablename = 'store_last_ingested_offsets'")
    ).rows[0].schemaname;
    await world.network.load.stop();
    const rename = (from: string, to: string) =>
      client.query(`ALTER TABLE "${schema}".store_last_ingested_offsets RENAME COLUMN ${from} TO ${to}`);
    await rename('last_ingested_offset', 'newest_offset');
    const result = await cli(['backup', '--slot', 'unknown-schema']);
    await rename('newest_offset', 'last_ingested_offset');
    await client.end();
    expect(result.status).toBe(3);
    expect(result.json).toMatchObject({ ok: false, code: 'SEALED_UNPROVEN', verdict: 'unknown' });
    expect((await cli(['verify'])).status).toBe(3);
  }, 60_000);

  test('without encryption it warns each time', async () => {
    const yaml = world.yaml.replace(/encryption: .*/, 'encryption: none').replace('./vault', './clear');
    const result = await cli(['backup', '--config', await world.config('clear.yaml', yaml)]);
    expect(result.status).toBe(0);
    expect(result.stderr).toContain('warning: encryption: none');
    const names = await readdir(join(world.folder, 'clear'), { recursive: true });
    expect(names.filter((name) => name.endsWith('.age'))).toEqual([]);
  }, 60_000);

  test('no secret is in what it says or in what it writes in clear', async () => {
    const { stdout, stderr } = await cli(['backup', '--slot', 'sentinel']);
    const keys = world.network.who.keys.map(({ keyPair }) => Buffer.from(keyPair).toString('base64'));
    const vault = join(world.folder, 'vault');
    const files = (await readdir(vault, { recursive: true })).filter((name) => /\.(json|pem|sig)$/.test(name));
    const texts = await Promise.all(files.map((name) => readFile(join(vault, name), 'latin1')));
    for (const secret of [world.secret, ...keys]) expect([stdout, stderr, ...texts].join()).not.toContain(secret);
  }, 60_000);
});
