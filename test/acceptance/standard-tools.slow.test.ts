import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CliWorld, cliWorld } from '../support/cli-world.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';

const missing = ['age', 'zstd', 'openssl', 'sha256sum'].filter((tool) => spawnSync('which', [tool]).status !== 0);
const describeWithTools: typeof describeWithPostgres =
  missing.length === 0
    ? describeWithPostgres
    : (name) => describe.skip(`${name} (${missing.join(', ')} not installed)`, () => test.todo('needs them'));

describeWithTools('a stranger with standard tools and the format’s document', () => {
  let world: CliWorld;
  beforeAll(async () => {
    world = await cliWorld();
  }, 60_000);
  afterAll(() => world.stop());

  test('checks signatures, chain and order, and restores a set', async () => {
    for (const slot of ['2026-11-01T00:00:00Z', '2026-11-01T04:00:00Z']) {
      expect(await world.run(['backup', '--slot', slot])).toMatchObject({ status: 0 });
    }
    const { server } = world.network;
    const admin = await connectTo(server.url('postgres'));
    // The script names each database by its component; the load goes on in the ones without this prefix.
    await world.network.load.stop();
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'participant'`);
    await admin.query('ALTER DATABASE participant RENAME TO participant_live');
    await admin.query('CREATE DATABASE participant');
    await admin.query('CREATE DATABASE "validator-app"');
    await admin.end();
    const script = join(import.meta.dirname, 'standard-tools.sh');
    const paths = ['vault', 'public-key.pem', 'identity.txt'].map((name) => join(world.folder, name));
    const { stdout } = await promisify(execFile)(
      script,
      [...paths, 'validator-1', server.url('x').replace(/\/x(?=\?|$)/, '')],
      {
        env: { ...process.env, PATH: `${server.tools}:${process.env['PATH']}` },
      },
    );
    expect(stdout.match(/^restored .*/gm)).toEqual([
      'restored identities',
      'restored participant',
      'restored validator-app',
    ]);
    const restored = await connectTo(server.url('participant'));
    const { rows } = await restored.query('SELECT participant_id FROM lapi_parameters');
    await restored.end();
    expect(rows[0]?.participant_id).toBe(world.network.who.id.replace('PAR::', ''));
  }, 120_000);
});
