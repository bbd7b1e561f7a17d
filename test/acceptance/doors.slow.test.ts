import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createKeyFile } from '../../local/key-file-signer.ts';
import { runCli } from '../support/cli.ts';
import { type CliWorld, cliWorld } from '../support/cli-world.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { filesOf } from '../support/standing.ts';

/** Every kind of file in a vault of which sets 1 and 2 have expired; `RUN` is that of set 3, which is kept. */
const KINDS: readonly (readonly [kind: string, file: string])[] = [
  ['the format', '^format\\.json$'],
  ['a public key', '^keys/[0-9a-f]+\\.pem$'],
  ['a lease', '^leases/.*/RUN/00000001\\.json$'],
  ['a start receipt', '/RUN/1/receipts/participant\\.start\\.json$'],
  ['an end receipt', '/RUN/1/receipts/validator-app\\.end\\.json$'],
  ['the identities', '/RUN/1/identities\\.json\\.zst\\.age$'],
  ['a dump', '/RUN/1/participant\\.dump\\.zst\\.age$'],
  ['a manifest', '/manifests/00000002\\.json$'],
  ['a manifest’s signature', '/manifests/00000002-[0-9a-f]+\\.sig$'],
  ['a tombstone', '/tombstones/00000001\\.json$'],
  ['a tombstone’s signature', '/tombstones/00000001-[0-9a-f]+\\.sig$'],
  ['a receipt of an expired set', '/first/1/receipts/identities\\.end\\.json$'],
];

describeWithPostgres('a stranger with a vault and a public key', () => {
  let world: CliWorld;
  let sets: readonly { readonly slot: string; readonly manifest: string; readonly state: string }[];
  const key = ['--public-key', 'public-key.pem'];
  const verify = (...args: string[]) => world.run(['verify', '--all', '--vault', './vault', ...args]);
  const path = (...names: string[]) => join(world.folder, ...names);

  beforeAll(async () => {
    world = await cliWorld();
    for (const slot of ['first', 'second'])
      expect(await world.run(['backup', '--slot', slot])).toMatchObject({ status: 0 });
    const keepOne = await world.config(
      'retain.yaml',
      world.yaml.replace('nodes:', 'retention: { keepLast: 1 }\nnodes:'),
    );
    expect(await world.run(['serve', '--once', '--config', keepOne])).toMatchObject({ status: 0 });
    // A stranger has neither.
    for (const ours of ['ledgerhold.yaml', 'retain.yaml', 'signing-key.pem']) await rm(path(ours));
    sets = (await world.run(['sets', '--vault', './vault'])).json['sets'] as typeof sets;
  }, 90_000);
  afterAll(() => world.stop());

  test('proves every byte without a config, and is told the head', async () => {
    expect(sets.map(({ state }) => state)).toEqual(['expired', 'expired', 'kept']);
    const { status, json } = await verify(...key);
    expect({ status, json }).toMatchObject({
      status: 0,
      json: { code: 'PROVEN', heads: [{ node: 'validator-1', seq: 3, sha256: sets[2]?.manifest }] },
    });
    const url = new URL(`file://${path('vault')}`).href;
    expect(await world.run(['verify', '--vault', url, ...key])).toMatchObject({ status: 0 });
  }, 30_000);

  test('is told that an expired set has expired, and why', async () => {
    const { json } = await verify(...key);
    const reports = json['sets'] as { set: string; expired: boolean; status: string }[];
    expect(reports.map(({ expired, status }) => `${status} ${expired}`)).toEqual([
      'proven true',
      'proven true',
      'proven false',
    ]);
    const shown = await runCli(['show', 'first', '--vault', './vault'], { cwd: world.folder });
    expect(shown.stdout).toMatch(/state +expired: /);
  }, 30_000);

  test('without a public key is told UNKNOWN, whatever key lies in the vault', async () => {
    expect(await verify()).toMatchObject({ status: 3, json: { ok: false, code: 'UNKNOWN' } });
  }, 30_000);

  test('with somebody else’s public key is not told that all is well', async () => {
    await writeFile(path('other.pem'), await createKeyFile(path('other-key.pem')));
    const { status, json } = await verify('--public-key', 'other.pem');
    expect([1, 3]).toContain(status);
    expect(json.ok).toBe(false);
  }, 30_000);

  test('with --quick is told that only the structure holds', async () => {
    expect(await verify('--quick', ...key)).toMatchObject({ status: 0, json: { code: 'STRUCTURE_ONLY' } });
    const { stdout } = await runCli(['verify', '--quick', '--vault', './vault', ...key], { cwd: world.folder });
    expect(stdout).toMatch(/^STRUCTURE_ONLY: 1 of 1 sets/m);
    expect(stdout).not.toMatch(/proven/i);
  }, 30_000);

  test('with --deep and no identity is not told that the positions hold', async () => {
    expect((await verify('--deep', ...key)).status).not.toBe(0);
    expect(await verify('--deep', '--identity', 'identity.txt', ...key)).toMatchObject({
      status: 0,
      json: { code: 'PROVEN_DEEP' },
    });
  }, 30_000);

  test('finds by --expect-head that the tail was removed', async () => {
    const head = sets[2]?.manifest ?? '';
    expect(await verify('--expect-head', head, ...key)).toMatchObject({ status: 0 });
    // An older manifest is still there.
    expect(await verify('--expect-head', sets[0]?.manifest ?? '', ...key)).toMatchObject({ status: 0 });
    expect(await verify('--expect-head', 'f'.repeat(64), ...key)).toMatchObject({ status: 1 });
    expect(await verify('--expect-head', 'short', ...key)).toMatchObject({ status: 2 });
    await damaged('/manifests/00000003', rm);
    const cutOff = ['verify', '--all', '--vault', './damaged', ...key];
    expect((await runCli([...cutOff, '--expect-head', head], { cwd: world.folder })).exit).toBe(1);
    // Without it there is doubt, since the slot's lease tells of a set; an attacker would remove that, too.
    expect((await runCli(cutOff, { cwd: world.folder })).exit).toBe(3);
    await damaged('/manifests/00000003|^leases/', rm);
    expect((await runCli(cutOff, { cwd: world.folder })).exit).toBe(0);
  }, 30_000);

  test.each([
    [['verify', '--vault', 'http://example.com', '--public-key', 'public-key.pem'], 2, 'UsageError'],
    [['verify', '--vault', './vault', '--public-key', 'nowhere.pem'], 2, 'UsageError'],
    [['verify', '9', '--vault', './vault', '--public-key', 'public-key.pem'], 2, 'NoSuchSet'],
    [['verify', '--quick', '--deep', '--vault', './vault'], 2, 'UsageError'],
    [['verify', '--al'], 2, 'UsageError'],
    [['show', 'nobody/1', '--vault', './vault'], 2, 'NoSuchSet'],
    [['verify'], 2, 'ConfigMissing'],
    [['back'], 2, 'UsageError'],
    [[], 2, 'UsageError'],
  ])(
    '%j ends with %i %s',
    async (args, status, name) => {
      const said = await world.run(args);
      expect(said).toMatchObject({ status, json: { ok: false, error: { name, remedy: expect.stringMatching(/\w/) } } });
    },
    30_000,
  );

  test.each(['./nowhere', './vault/keys'])(
    'finds nothing proved in %s, which is no vault',
    async (vault) => {
      const said = await world.run(['verify', '--all', '--vault', vault, ...key]);
      expect([1, 3]).toContain(said.status);
    },
    30_000,
  );

  /** A copy of the vault as `./damaged`, after `harm` was done to the files that fit. */
  async function damaged(pattern: string, harm: (file: string) => Promise<void>): Promise<void> {
    await rm(path('damaged'), { recursive: true, force: true });
    await cp(path('vault'), path('damaged'), { recursive: true });
    const expression = new RegExp(pattern.replace('RUN', sets[2]?.slot ?? ''));
    const files = (await filesOf(path('damaged'))).filter((file) => expression.test(file));
    expect(files).not.toEqual([]);
    for (const file of files) await harm(path('damaged', file));
  }

  const flip = async (file: string) => {
    const bytes = await readFile(file);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(file, bytes);
  };
  const cut = async (file: string) => writeFile(file, (await readFile(file)).subarray(0, -1));

  test.each(KINDS)(
    'finds a flipped bit, a cut and a loss of %s, with exit 1',
    async (kind, pattern) => {
      for (const [what, harm] of [
        ['flip', flip],
        ['cut', cut],
        ['loss', rm],
      ] as const) {
        await damaged(pattern, harm);
        const said = await runCli(['verify', '--all', '--vault', './damaged', ...key, '--json'], { cwd: world.folder });
        expect(`${kind}, ${what}: ${said.exit} ${String(said.json()['code'])}`).toBe(`${kind}, ${what}: 1 VIOLATED`);
      }
    },
    60_000,
  );
});
