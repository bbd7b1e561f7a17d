import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { writeSecretly } from '../../cli/commands/restore-only.ts';
import { Run } from '../../core/run.ts';
import { folderVault } from '../../local/folder-vault.ts';
import { canton } from '../../protocols/canton/canton.ts';
import { runCli } from '../support/cli.ts';
import { backupToy, newKeys, reading } from '../support/toy-sets.ts';

const SLOTS = ['2026-11-01T00:00:00Z', '2026-11-01T04:00:00Z', '2026-11-01T08:00:00Z'];
const components = ['app', 'participant'].map((name) => ({ component: name, role: name }));
const readings = {
  app: reading('app', 'ingested-offset', 5),
  participant: reading('participant', 'ledger-end', 7),
  // What the toys are called in their own protocol.
  ledger: reading('participant', 'ledger-end', 7),
};

describe('the set that a restore takes', () => {
  let cwd = '';
  const clean = new Map<string, Buffer>();
  const cli = (args: string[], now = '2026-11-02T00:00:00Z') =>
    runCli(['restore', ...args, '--vault', './vault', '--public-key', 'own.pem', '--config', 'none.yaml', '--json'], {
      cwd,
      now: () => new Date(now),
    });
  let plans = 0;
  const plan = (...args: string[]) => cli(['plan', '--out', `plan-${++plans}.json`, ...args]);
  const inVault = (name: string) => join(cwd, 'vault', name);
  const damage = async (name: string, at = 40) => {
    const bytes = Buffer.from(await readFile(inVault(name)));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await chmod(inVault(name), 0o600);
    await writeFile(inVault(name), bytes);
  };

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'ledgerhold-restore-'));
    const keys = newKeys();
    await writeFile(join(cwd, 'own.pem'), keys.publicKey);
    const run = Run.shape.components.parse(components);
    for (const slot of SLOTS) {
      let minutes = 0;
      // A minute for each glance at the clock: a set's captures start well before it is sealed.
      const now = () => new Date(Date.parse(slot) + 60_000 * minutes++);
      const world = { vault: folderVault(join(cwd, 'vault')), keys, protocol: canton, now };
      await backupToy(world, slot, { protocol: 'canton', components: run }, readings);
    }
    const entries = await readdir(join(cwd, 'vault'), { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((each) => each.isFile())) {
      const path = join(entry.parentPath, entry.name);
      clean.set(path, await readFile(path));
    }
  });
  beforeEach(async () => {
    for (const [path, bytes] of clean) await writeFile(path, bytes);
  });
  afterAll(() => rm(cwd, { recursive: true, force: true }));

  test('is the newest that is sound; that its bytes were not read is said', async () => {
    const { exit, json } = await plan();
    expect({ exit, ...json() }).toMatchObject({
      ...{ exit: 0, code: 'PLANNED', set: 'toy-1/3', passedOver: [] },
      bytes: 'not read; apply proves them while it restores',
    });
  });

  test.each([0, 40, 700])('passes over a newest manifest with a flipped bit (byte %i), and says why', async (at) => {
    await damage('sets/toy-1/manifests/00000003.json', at);
    const { exit, json } = await plan();
    expect({ exit, ...json() }).toMatchObject({
      ...{ exit: 0, set: 'toy-1/2' },
      passedOver: [{ id: 'toy-1/3', why: [expect.stringMatching(/^damaged: .*00000003/)] }],
    });
    expect(JSON.stringify(json())).not.toMatch(/NaN|forks/);
  });

  test('is refused where a damaged one is named', async () => {
    await damage('sets/toy-1/manifests/00000003.json');
    expect((await plan('--set', '3')).json()).toMatchObject({ ok: false });
  });

  test('loses to the one before if an artifact’s bytes are damaged, once all are read', async () => {
    await damage(`sets/toy-1/runs/${SLOTS[2]}/1/app.bin`, 3);
    expect((await plan()).json()).toMatchObject({ set: 'toy-1/3' });
    expect((await plan('--full')).json()).toMatchObject({
      ...{ set: 'toy-1/2', bytes: 'proved' },
      passedOver: [{ id: 'toy-1/3', why: [expect.stringMatching(/^damaged: the bytes of .*app.bin/)] }],
    });
    expect((await plan('--full', '--set', '3')).json()).toMatchObject({ code: 'NO_SAFE_SET' });
  });

  test('lacks an artifact, and nothing is said of its order', async () => {
    await rm(inVault(`sets/toy-1/runs/${SLOTS[2]}/1/app.bin`));
    expect((await plan()).json()['passedOver']).toEqual([
      { id: 'toy-1/3', why: [expect.stringMatching(/^the vault does not hold .*app.bin$/)] },
    ]);
  });

  test('counts its days from the first capture, not from the seal', async () => {
    // 30 days after the seal of the newest, and a little more after its first capture.
    const sealed = JSON.parse(await readFile(inVault('sets/toy-1/manifests/00000003.json'), 'utf8')) as {
      sealedAt: string;
    };
    const now = new Date(Date.parse(sealed.sealedAt) + 30 * 86_400_000).toISOString();
    const { exit, json } = await cli(['plan', '--out', 'late.json'], now);
    expect({ exit, ...json() }).toMatchObject({ exit: 5, code: 'NO_SAFE_SET' });
    expect(await cli(['plan', '--out', 'late.json', '--set', '3', '--accept', 'old'], now)).toMatchObject({ exit: 0 });
  });

  test('gives one artifact though the newest manifest is damaged, and warns', async () => {
    await damage('sets/toy-1/manifests/00000003.json');
    const { exit, json, stderr } = await cli(['--only', 'app', '--to', 'app.bin']);
    expect({ exit, ...json() }).toMatchObject({ exit: 0, set: 'toy-1/2' });
    expect(stderr).toContain('toy-1/3 is passed over: damaged: ');
    expect(await readFile(join(cwd, 'app.bin'), 'utf8')).toBe(`state of app at ${SLOTS[1]}`);
  });

  test('is none where all are damaged, or where there is none', async () => {
    for (const seq of [1, 2, 3]) await damage(`sets/toy-1/manifests/0000000${seq}.json`);
    expect((await plan()).json()).toMatchObject({ code: 'NO_SAFE_SET' });
    expect((await cli(['--only', 'app', '--to', 'none'])).json()).toMatchObject({ code: 'NO_SAFE_SET' });
    expect((await plan('--node', 'toy-2')).json()).toMatchObject({ code: 'NO_SUCH_SET' });
  });
});

describe('a file of secrets', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledgerhold-secret-'));
  });
  const { signal } = new AbortController();
  const path = () => join(folder, 'secret');
  async function* pieces(between: () => Promise<void> = async () => {}) {
    yield Buffer.from('half ');
    await between();
    yield Buffer.from('whole');
  }

  test('has its name when it is whole and not before, and is its owner’s alone', async () => {
    const look = async () => {
      const [only, ...others] = await readdir(folder);
      expect([only, others]).toEqual([expect.stringMatching(/^secret\.unfinished-/), []]);
      expect((await stat(join(folder, only ?? ''))).mode & 0o777).toBe(0o600);
    };
    await writeSecretly(path(), pieces(look), signal);
    expect(await readdir(folder)).toEqual(['secret']);
    expect(await readFile(path(), 'utf8')).toBe('half whole');
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    await rm(folder, { recursive: true });
  });

  test('leaves nothing behind that fails or is given up', async () => {
    const failing = pieces(() => Promise.reject(new RangeError('damaged')));
    await expect(writeSecretly(path(), failing, signal)).rejects.toThrow('damaged');
    await expect(writeSecretly(path(), pieces(), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  test('never takes the place of another, not even of one that has come meanwhile', async () => {
    const meanwhile = pieces(() => writeFile(path(), 'another'));
    await expect(writeSecretly(path(), meanwhile, signal)).rejects.toMatchObject({ name: 'FileExists' });
    await expect(writeSecretly(path(), pieces(), signal)).rejects.toMatchObject({ name: 'FileExists' });
    expect(await readFile(path(), 'utf8')).toBe('another');
    expect(await readdir(folder)).toEqual(['secret']);
    await rm(folder, { recursive: true });
  });
});
