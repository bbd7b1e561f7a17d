import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applyPlan } from '../../local/restore-apply.ts';
import { undoPlan } from '../../local/restore-undo.ts';
import type { Doom } from '../support/apply-and-die.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { type RestoreWorld, restoreWorld } from '../support/restore-world.ts';

/** Every point that a restore passes, and how far it is then. */
const POINTS = [
  ['restoring validator-app', 1],
  ['restoring participant', 1],
  ['restoring participant', 2],
  ['checked validator-app', 1],
  ['checked participant', 1],
  ['in-place validator-app', 1],
  ['in-place participant', 1],
] as const;

describeWithPostgres('a restore that is killed', () => {
  let world: RestoreWorld;
  beforeAll(async () => {
    world = await restoreWorld();
    // What is restored has been stopped: its load, and who carried it.
    await world.network.load.stop();
  });
  afterAll(() => world.stop());

  async function killedAt(name: string, at: string, count: number) {
    const { plan, options } = await world.target(name);
    const urls = Object.fromEntries(
      plan.components.map(({ component }) => [
        component,
        component === 'identities' ? '' : options.source(component).url,
      ]),
    );
    const doom: Doom = {
      ...{ plan, urls, at, count, vault: join(world.folder, 'vault') },
      ...{ publicKey: world.keys.publicKey, identity: world.identity },
    };
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/apply-and-die.ts')], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    child.stdin.end(JSON.stringify(doom));
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    return { plan, options };
  }

  const ledgerEnd = async (database: string) => {
    const client = await connectTo(world.network.server.url(database));
    const { rows } = await client.query<{ end: string }>('SELECT ledger_end::text AS end FROM lapi_parameters');
    await client.end();
    return rows;
  };

  test.each(POINTS)('at "%s" (%i) goes on when it is run again', async (at, count) => {
    const name = `on_${POINTS.findIndex((point) => point[0] === at && point[1] === count)}`;
    const { plan, options } = await killedAt(name, at, count);
    expect((await eventually(() => applyPlan(plan, options))).map(({ keptAs }) => keptAs)).toEqual([
      ...[`${name}_app_before_validator-1-1`, `${name}_participant_before_validator-1-1`],
    ]);
    expect(await ledgerEnd(`${name}_participant`)).toHaveLength(1);
    expect(await world.databases(name)).toHaveLength(4);
  });

  test.each(POINTS)('at "%s" (%i) goes back when that is asked for', async (at, count) => {
    const name = `back_${POINTS.findIndex((point) => point[0] === at && point[1] === count)}`;
    const { plan, options } = await killedAt(name, at, count);
    await eventually(() => undoPlan(plan, options));
    const left = await world.databases(name);
    expect(left).toEqual(expect.arrayContaining([`${name}_app`, `${name}_participant`]));
    expect(left.filter((database) => database.includes('_before_'))).toEqual([]);
    await expect(ledgerEnd(`${name}_participant`)).rejects.toThrow('lapi_parameters');
  });
});

/** The server notices that a killed client is gone when it next writes to it; until then the database is in use. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const waits =
        error instanceof Error && ['TargetInUse', 'RestoreRunning', 'PostgresToolFailed'].includes(error.name);
      if (!waits || attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
