import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CliWorld, cliWorld } from '../support/cli-world.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { standInForPgDump } from '../support/stand-in.ts';
import { expectFailure, expectNothingVisible, type Standing, standing } from '../support/standing.ts';

const changed = (url: string, change: (url: URL) => void): string => {
  const parsed = new URL(url);
  change(parsed);
  return parsed.href;
};

describeWithPostgres('a database that cannot be dumped', () => {
  let world: CliWorld;
  let before: Standing;
  beforeAll(async () => {
    world = await cliWorld({ megabytes: 4 });
    expect(await world.run(['backup', '--slot', 'good'])).toMatchObject({ status: 0 });
    before = await standing(world);
    expect(before).toMatchObject({ proof: '0 PROVEN', sets: [expect.any(String)] });
  }, 60_000);
  afterAll(() => world.stop());

  async function nextSucceeds(slot: string): Promise<void> {
    expect((await world.run(['backup', '--slot', slot])).json).toMatchObject({ ok: true, code: 'SEALED', fence: 2 });
    const after = await standing(world);
    expect(after).toMatchObject({ proof: '0 PROVEN', sets: [...before.sets, expect.any(String)] });
    before = after;
  }

  test.each<[string, (url: URL) => void, number, string]>([
    ['a server that is down', (url) => Object.assign(url, { port: '1' }), 4, 'DatabaseUnavailable'],
    [
      'a host that nobody knows',
      (url) => Object.assign(url, { hostname: 'nowhere.invalid' }),
      4,
      'DatabaseUnavailable',
    ],
    ['a wrong password', (url) => Object.assign(url, { password: 'sentinel-pw' }), 2, 'WrongPassword'],
    ['no password', (url) => Object.assign(url, { password: '' }), 2, 'WrongPassword'],
    ['a user that the server does not know', (url) => Object.assign(url, { username: 'nobody' }), 2, 'WrongPassword'],
    ['a database that is not there', (url) => Object.assign(url, { pathname: '/nowhere' }), 2, 'NoSuchDatabase'],
    ['another program’s database', (url) => Object.assign(url, { pathname: '/postgres' }), 1, 'WrongDatabase'],
  ])(
    '%s ends the run by name, shows nothing, and the next run succeeds',
    async (what, change, status, name) => {
      const slot = what.replaceAll(/[^a-z]+/g, '-');
      const env = { PARTICIPANT_DB_URL: changed(world.network.participantUrl, change) };
      const said = await world.run(['backup', '--slot', slot], env);
      expectFailure(said, status, name);
      expect(said.stdout + said.stderr).not.toContain('sentinel-pw');
      expectNothingVisible(before, await standing(world));
      await nextSucceeds(slot);
    },
    60_000,
  );

  test.each([
    // 300 kB of some 4 MB.
    ['killed half way', '"$REAL" "$@" | { head -c 300000; kill -KILL $$; }', 'PostgresToolFailed'],
    [
      'failing at its end',
      '"$REAL" "$@"; echo "pg_dump: error: sentinel of a server" >&2; exit 1',
      'PostgresToolFailed',
    ],
    ['cut though it exits 0', '"$REAL" "$@" | head -c 300000; exit 0', 'DumpCutShort'],
    ['cut by its last byte though it exits 0', '"$REAL" "$@" | head -c -1; exit 0', 'DumpCutShort'],
    [
      'without its middle though it exits 0',
      '"$REAL" "$@" | { head -c 200000; head -c 4096 >/dev/null; cat; }; exit 0',
      'DumpCutShort',
    ],
    ['empty though it exits 0', '"$REAL" "$@" >/dev/null; exit 0', 'DumpCutShort'],
    ['some other text though it exits 0', 'echo "-- all is well"; exit 0', 'DumpCutShort'],
    ['one that cannot be run', 'exec /nowhere/pg_dump', 'PostgresToolFailed'],
  ])(
    'a pg_dump %s ends the run with 4, stores nothing of it, and the next run succeeds',
    async (what, script, name) => {
      const slot = what.replaceAll(' ', '-');
      await standInForPgDump(join(world.folder, slot), world.network.server.tools, script);
      const yaml = world.yaml.replace('{ env: PARTICIPANT_DB_URL }', `{ env: PARTICIPANT_DB_URL }, tools: ./${slot}`);
      const said = await world.run(['backup', '--slot', slot, '--config', await world.config('tools.yaml', yaml)]);
      expectFailure(said, 4, name);
      const after = await standing(world);
      expectNothingVisible(before, after);
      expect(after.files.filter((file) => file.includes(`runs/${slot}/`) && file.includes('participant.dump'))).toEqual(
        [],
      );
      await nextSucceeds(slot);
    },
    60_000,
  );
});
