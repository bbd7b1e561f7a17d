import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CliWorld, cliWorld, readText } from '../support/cli-world.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { expectFailure, expectNothingVisible, type Standing, standing } from '../support/standing.ts';

const mount = (...args: string[]): boolean => spawnSync('mount', args).status === 0;
const unmount = (path: string) => void spawnSync('umount', ['--lazy', path]);

async function canMount(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerhold-mount-'));
  const can = mount('-t', 'tmpfs', 'tmpfs', folder);
  if (can) unmount(folder);
  await rm(folder, { recursive: true, force: true });
  return can;
}

const describeWithMounts: typeof describeWithPostgres = (await canMount())
  ? describeWithPostgres
  : (name) => describeWithPostgres(`${name} (needs the right to mount)`, () => test.skip('not here', () => {}));

const MIB = 2 ** 20;

describeWithMounts('a vault on a disk of its own', () => {
  let world: CliWorld;
  let disk: string;
  let vault: string;
  let config: string;
  let before: Standing;
  const backup = (slot: string) => world.run(['backup', '--slot', slot, '--config', config]);

  beforeAll(async () => {
    world = await cliWorld({ megabytes: 1 });
    disk = join(world.folder, 'disk');
    vault = join(disk, 'vault');
    await mkdir(disk);
    expect(mount('-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', disk)).toBe(true);
    config = await world.config('disk.yaml', world.yaml.replace('./vault', './disk/vault'));
    expect(await backup('good')).toMatchObject({ status: 0 });
  }, 60_000);
  afterAll(async () => {
    unmount(disk);
    await world.stop();
  });
  beforeEach(async () => {
    before = await standing(world, vault);
    expect(before.proof).toBe('0 PROVEN');
  });

  async function nextSucceeds(slot: string): Promise<void> {
    expect((await backup(slot)).json).toMatchObject({ ok: true, code: 'SEALED' });
    const after = await standing(world, vault);
    expect(after).toMatchObject({ proof: '0 PROVEN', sets: [...before.sets, expect.any(String)] });
  }

  /** Leaves `bytes` of room. */
  async function fill(bytes: number): Promise<() => Promise<void>> {
    const filler = join(disk, 'filler');
    const { bavail, bsize } = await statfs(disk);
    await writeFile(filler, Buffer.alloc(bavail * bsize - bytes));
    return () => rm(filler);
  }

  // With nothing at all left, with room for the lease, for a receipt or two, for the small artifacts.
  test.each([0, 4096, 65_536, MIB])(
    'with room for %i bytes the run ends with 4, shows nothing, and the next run succeeds',
    async (room) => {
      const slot = `room-${room}`;
      const empty = await fill(room);
      try {
        const said = await backup(slot);
        expectFailure(said, 4, 'VaultUnavailable');
        expect(said.json.error?.message).toMatch(/ENOSPC/);
      } finally {
        await empty();
      }
      expectNothingVisible(before, await standing(world, vault));
      await nextSucceeds(slot);
    },
    60_000,
  );

  test('mounted read-only, the run ends with 4, changes no byte, and the next run succeeds', async () => {
    expect(mount('-o', 'remount,ro', disk)).toBe(true);
    try {
      const said = await backup('read-only');
      expectFailure(said, 4, 'VaultUnavailable');
      expect(said.json.error?.remedy).toMatch(/read-write/);
    } finally {
      mount('-o', 'remount,rw', disk);
    }
    expect(await standing(world, vault)).toEqual(before);
    await nextSucceeds('read-only');
  }, 60_000);

  test('read-only, it can still be verified, listed and shown', async () => {
    mount('-o', 'remount,ro', disk);
    try {
      expect(await standing(world, vault)).toEqual(before);
      const doors = [['sets'], ['show', 'latest'], ['status'], ['plan'], ['verify']];
      for (const verb of doors) expect(await world.run([...verb, '--config', config])).toMatchObject({ status: 0 });
      const { status, json } = await world.run(['doctor', '--config', config]);
      expect({ status, findings: json['findings'] }).toMatchObject({
        status: 4,
        findings: expect.arrayContaining([expect.objectContaining({ check: 'vault', level: 'fail' })]),
      });
    } finally {
      mount('-o', 'remount,rw', disk);
    }
  }, 60_000);
});

describeWithPostgres('a vault that is no folder', () => {
  let world: CliWorld;
  beforeAll(async () => {
    world = await cliWorld();
  }, 60_000);
  afterAll(() => world.stop());

  test('but a file is refused with 4, and the file is left alone', async () => {
    await writeFile(join(world.folder, 'a-file'), 'precious');
    const config = await world.config('file.yaml', world.yaml.replace('./vault', './a-file'));
    expectFailure(await world.run(['backup', '--config', config]), 4, 'VaultUnavailable');
    expect(await world.run(['doctor', '--config', config])).toMatchObject({ status: 4 });
    // An empty vault proves nothing.
    expect(await world.run(['verify', '--config', config])).toMatchObject({ status: 3 });
    expect(await readText(world, 'a-file')).toBe('precious');
  }, 60_000);

  test('but another network’s vault is refused with 2 before anything is asked of the node', async () => {
    expect(await world.run(['backup', '--slot', 'first'])).toMatchObject({ status: 0 });
    const asked = world.validator.asked;
    const config = await world.config('other.yaml', world.yaml.replace('network: acme', 'network: other'));
    expectFailure(await world.run(['backup', '--slot', 'second', '--config', config]), 2, 'ForeignVault');
    expect(world.validator.asked).toBe(asked);
  }, 60_000);
});
