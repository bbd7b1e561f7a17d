import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CliWorld, cliWorld, readText } from '../support/cli-world.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';

const built = existsSync(join(import.meta.dirname, '../../dist/ledgerhold.js'));
const describeHere = built
  ? describeWithPostgres
  : (name: string, tests: () => void) => describe.skip(`${name} (dist is not built)`, tests);

const STRANGER = ['--vault', 'vault', '--public-key', 'public-key.pem', '--config', 'none.yaml'];

describeHere('restore and drill, as one types them', () => {
  let world: CliWorld;
  const cli: CliWorld['run'] = (args) => world.run(args);

  beforeAll(async () => {
    world = await cliWorld();
    expect((await cli(['backup'])).json).toMatchObject({ code: 'SEALED' });
  }, 60_000);
  afterAll(() => world.stop());

  test('one artifact comes out as it went in, readable by its owner alone, and over nothing', async () => {
    const only = ['restore', '--only', 'identities', '--to', 'identities.json', '--identity', 'identity.txt'];
    expect(await cli(only)).toMatchObject({ status: 0, json: { code: 'WRITTEN', set: 'validator-1/1' } });
    expect(JSON.parse(await readText(world, 'identities.json'))).toMatchObject({ id: world.network.who.id });
    expect((await stat(join(world.folder, 'identities.json'))).mode & 0o777).toBe(0o600);
    expect(await cli(only)).toMatchObject({ status: 2, json: { code: 'FILE_EXISTS' } });
  });

  test.each([
    [['restore'], 2, 'USAGE_ERROR'],
    [['restore', '--only', 'particpant', '--to', 'x'], 2, 'USAGE_ERROR'],
    [['restore', '--only', 'participant', '--to', 'x'], 2, 'IDENTITY_NEEDED'],
    [['restore', 'plan', '--only', 'participant', '--out', 'x'], 5, 'PARTIAL_RESTORE'],
    [['restore', 'plan', '--to', '2020-01-01', '--out', 'x'], 5, 'NO_SAFE_SET'],
    [['restore', 'plan', '--set', '7', '--out', 'x'], 2, 'NO_SUCH_SET'],
    [['restore', 'plan', '--to', 'noon', '--out', 'x'], 2, 'USAGE_ERROR'],
    [['restore', 'apply', 'identity.txt'], 2, 'PLAN_UNREADABLE'],
    [['restore', 'apply', 'absent.json'], 2, 'USAGE_ERROR'],
    [['drill'], 2, 'IDENTITY_NEEDED'],
  ])('%j ends with %i', async (args, status, code) => {
    const said = await cli(args);
    expect([said.status, said.json.code]).toEqual([status, code]);
    expect(existsSync(join(world.folder, 'x'))).toBe(false);
    expect(said.stdout + said.stderr).not.toContain('AGE-SECRET-KEY');
  });

  test('a drill is recorded, and verify and status know of it', async () => {
    const drilled = await cli(['drill', '--identity', 'identity.txt']);
    expect(drilled).toMatchObject({
      status: 0,
      json: { code: 'DRILL_PASSED', record: 'drills/validator-1/00000001.json' },
    });
    expect((await cli(['verify', '--all'])).json).toMatchObject({ code: 'PROVEN' });
    expect((await cli(['status'])).json).toMatchObject({ nodes: [{ drill: { outcome: 'passed' } }] });
  });

  test('a stranger with vault, key and identity can drill, and is told how to get the files', async () => {
    const drilled = await cli(['drill', '--identity', 'identity.txt', ...STRANGER]);
    expect(drilled).toMatchObject({ status: 0, json: { code: 'DRILL_PASSED', record: null } });
    const planned = await cli(['restore', 'plan', '--out', 'stranger.json', ...STRANGER]);
    expect(planned).toMatchObject({
      status: 0,
      json: { plan: { components: [{}, { target: { kind: 'file' } }, {}] } },
    });
    expect(await cli(['restore', 'apply', 'stranger.json', '--fenced'])).toMatchObject({ status: 2 });
  });

  test('the node comes back from a plan, once it is stopped; and goes back again', async () => {
    const apply = ['restore', 'apply', 'plan.json', '--identity', 'identity.txt'];
    expect(await cli(['restore', 'plan', '--out', 'plan.json'])).toMatchObject({
      status: 0,
      json: { code: 'PLANNED' },
    });
    expect(await cli(apply)).toMatchObject({ status: 5, json: { code: 'FENCE_MISSING' } });
    expect(await cli([...apply, '--fenced'])).toMatchObject({ status: 5, json: { code: 'TARGET_IN_USE' } });
    await world.network.halt();
    const ahead = await ledgerEnd();
    expect(await cli([...apply, '--dry-run'])).toMatchObject({ status: 0, json: { code: 'PREVIEWED' } });
    expect(await ledgerEnd()).toBe(ahead);
    expect(await cli([...apply, '--fenced'])).toMatchObject({
      status: 0,
      json: {
        code: 'RESTORED',
        databases: [{ database: 'validator' }, { keptAs: 'participant_before_validator-1-1' }],
      },
    });
    expect(await ledgerEnd()).toBeLessThan(ahead);
    expect(await cli([...apply, '--fenced'])).toMatchObject({ status: 0, json: { code: 'RESTORED' } });
    expect(await cli([...apply, '--fenced', '--undo'])).toMatchObject({ status: 0, json: { code: 'UNDONE' } });
    expect(await ledgerEnd()).toBe(ahead);
  }, 60_000);

  test('a plan that somebody has changed is not carried out', async () => {
    await cli(['restore', 'plan', '--out', 'sound.json']);
    const plan = await readText(world, 'sound.json');
    await writeFile(join(world.folder, 'changed.json'), plan.replace('/participant.dump', '/validator-app.dump'));
    const said = await cli(['restore', 'apply', 'changed.json', '--fenced', '--identity', 'identity.txt']);
    expect([said.status, said.json.code]).toEqual([5, 'PLAN_OUTDATED']);
  });

  async function ledgerEnd(): Promise<number> {
    const client = await connectTo(world.network.participantUrl);
    const { rows } = await client.query<{ end: string }>('SELECT ledger_end AS end FROM lapi_parameters');
    await client.end();
    return Number(rows[0]?.end);
  }
});
