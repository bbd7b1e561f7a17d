import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Vault } from '../../core/vault.ts';
import { ageDecryption, ageIdentity } from '../../io/age.ts';
import { type IsolatedServer, isolatedPostgres } from '../../io/postgres/isolated.ts';
import { NoPostgresTools } from '../../io/postgres/tool-folder.ts';
import { type DrillOptions, drill } from '../../local/drill.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { recordDrill } from '../../vault/drills.ts';
import { verify } from '../../vault/verify.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { type RestoreWorld, restoreWorld } from '../support/restore-world.ts';

describeWithPostgres('a drill', () => {
  let world: RestoreWorld;
  let running = 0;
  beforeAll(async () => {
    world = await restoreWorld();
  });
  afterAll(() => world.stop());

  const startServer = async (): Promise<IsolatedServer> => {
    const server = await isolatedPostgres({ environment: process.env });
    running += 1;
    const stop = () => server.stop().then(() => void (running -= 1));
    return { ...server, stop };
  };
  const options = (): DrillOptions => ({
    ...{ vault: world.vault, publicKeys: [world.keys.publicKey], protocolNamed, environment: process.env, startServer },
    ...{ decrypt: ageDecryption(world.identity), clock: { now: () => new Date() }, elapsed: () => performance.now() },
  });
  const copied = async (name: string): Promise<{ vault: Vault; path: (key: string) => string }> => {
    const folder = join(world.folder, name);
    await cp(fileURLToPath(world.vault.url), folder, { recursive: true });
    return { vault: folderVault(folder), path: (key) => join(folder, key) };
  };
  const keyOf = async (ending: RegExp): Promise<string> => {
    for await (const { key } of world.vault.list('sets/')) if (ending.test(key)) return key;
    throw new Error(`no key like ${ending}`);
  };

  test('restores a set in isolation, finds it as it was captured, and measures how long it took', async () => {
    const result = await drill('validator-1', 1, options());
    expect(result.steps.map(({ name, outcome }) => `${name}: ${outcome}`)).toEqual([
      'prove the set: passed',
      'start a server of its own: passed',
      'open identities: passed',
      'restore validator-app: passed',
      'restore participant: passed',
      'check positions and identity: passed',
    ]);
    expect(result).toMatchObject({ set: 'validator-1/1', outcome: 'passed' });
    expect(result.rtoMilliseconds).toBe(result.steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
    expect(running).toBe(0);
  });

  test('leaves signed records that verify proves, however many record at once', async () => {
    const { vault } = await copied('recorded');
    const result = await drill('validator-1', 1, { ...options(), vault });
    const keys = await Promise.all([1, 2, 3].map(() => recordDrill(vault, world.keys.signer, result)));
    expect(keys.sort()).toEqual([1, 2, 3].map((n) => `drills/validator-1/0000000${n}.json`));
    const report = await verify({ vault, publicKeys: [world.keys.publicKey], protocolNamed, depth: 'structure' });
    expect([report.status, report.findings]).toEqual(['proven', []]);
  });

  test('fails when a dump is not what was sealed', async () => {
    const { vault, path } = await copied('flipped');
    const file = path(await keyOf(/participant\.dump/));
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 40) ^ 1, bytes.length - 40);
    await writeFile(file, bytes);
    const { outcome, steps } = await drill('validator-1', 1, { ...options(), vault });
    expect([outcome, steps.at(-1)?.name, steps.at(-1)?.text]).toEqual([
      ...['failed', 'restore participant', expect.stringMatching(/^(AgeDamaged|ArtifactDamaged)/)],
    ]);
    expect(running).toBe(0);
  });

  test('fails when the identity does not open what is stored', async () => {
    const decrypt = ageDecryption((await ageIdentity()).identity);
    const { outcome, steps } = await drill('validator-1', 1, { ...options(), decrypt });
    expect([outcome, steps.at(-1)?.text]).toEqual(['failed', expect.stringMatching(/^WrongIdentity/)]);
  });

  test.each<[string, () => Partial<DrillOptions>, string]>([
    ['no public key is given', () => ({ publicKeys: [] }), 'SetNotProven'],
    [
      'there is no server to restore into',
      () => ({ startServer: () => Promise.reject(new NoPostgresTools('no initdb', 'Install it.')) }),
      'NoPostgresTools',
    ],
  ])('cannot tell when %s', async (_, change, name) => {
    const { outcome, steps } = await drill('validator-1', 1, { ...options(), ...change() });
    expect([outcome, steps.at(-1)?.text.split(':')[0]]).toEqual(['unknown', name]);
  });

  test('given up half way leaves no server', async () => {
    const abort = new AbortController();
    const onBytes = () => abort.abort(new Error('enough'));
    await expect(drill('validator-1', 1, { ...options(), signal: abort.signal, onBytes })).rejects.toThrow('enough');
    expect(running).toBe(0);
  });
});
