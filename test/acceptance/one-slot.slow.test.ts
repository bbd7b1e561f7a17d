import { once } from 'node:events';
import { mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CliWorld, cliWorld, ended } from '../support/cli-world.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { processes, soon } from '../support/processes.ts';
import { readAll } from '../support/sentinels.ts';
import { expectNothingVisible, filesOf, type Standing, standing } from '../support/standing.ts';

/** What the files say that are new in the vault. */
type Sign = (files: readonly string[], slot: string) => boolean;

const inTheMidst: Sign = (files, slot) =>
  has('receipts/participant.start.json')(files, slot) && files.some((file) => file.startsWith('.ledgerhold-tmp/'));

/** How far a run has come. */
const MOMENTS: readonly (readonly [moment: string, sign: Sign])[] = [
  ['has claimed the slot', (files, slot) => files.some((file) => file.startsWith(`leases/validator-1/${slot}/`))],
  ['starts its first capture', has('receipts/identities.start.json')],
  ['has stored the identities', has('identities.json.zst.age')],
  ['has finished the app’s database', has('receipts/validator-app.end.json')],
  ['starts the participant’s dump', has('receipts/participant.start.json')],
  ['is in the midst of the participant’s dump', inTheMidst],
  ['has stored the participant’s dump', has('participant.dump.zst.age')],
  ['has finished its last capture', has('receipts/participant.end.json')],
  ['signs the manifest', (files) => files.some((file) => file.endsWith('.sig'))],
];

function has(name: string): Sign {
  return (files, slot) => files.some((file) => file.includes(`runs/${slot}/`) && file.endsWith(`/${name}`));
}

describeWithPostgres('one slot', () => {
  let world: CliWorld;
  let before: Standing;
  let slow: string;
  let scratch: string;
  const vault = () => join(world.folder, 'vault');
  const backup = (slot: string) => world.run(['backup', '--slot', slot]);
  const startSlowly = (slot: string) => world.start(['backup', '--slot', slot, '--config', slow], { TMPDIR: scratch });
  /** Waits for a moment of the run at hand. */
  const until = (sign: Sign, slot: string) =>
    soon(
      async () => {
        const fresh = (await filesOf(vault())).filter((file) => !before.files.includes(file));
        return sign(fresh, slot) ? true : undefined;
      },
      30_000,
      `a moment of ${slot}`,
    );
  const dumping = async () =>
    (await processes()).filter(
      ({ line }) => line.includes('pg_dump') && line.includes(`port='${world.network.server.port}'`),
    );

  beforeAll(async () => {
    world = await cliWorld({ megabytes: 2 });
    slow = await world.config(
      'slow.yaml',
      world.yaml.replace('protocol: splice', 'protocol: splice\n    rateLimit: 3 MB/s'),
    );
    expect(await backup('good')).toMatchObject({ status: 0 });
  }, 60_000);
  afterAll(() => world.stop());
  beforeEach(async () => {
    scratch = await mkdtemp(join(world.folder, 'tmp-'));
    before = await standing(world);
    expect(before.proof).toBe('0 PROVEN');
  });

  async function expectOneMoreSet(): Promise<void> {
    const after = await standing(world);
    expect(after).toMatchObject({ proof: '0 PROVEN', sets: [...before.sets, expect.any(String)] });
  }

  /** Nothing goes on behind a run that has ended, and nothing of it lies about. */
  async function expectNothingLeft(): Promise<void> {
    await soon(async () => ((await dumping()).length === 0 ? true : undefined), 5000, 'no pg_dump remains');
    // Who is killed in the very moment may leave a folder, or what has not been written to.
    expect((await readAll(scratch)).filter(({ bytes }) => bytes.length > 0)).toEqual([]);
  }

  test('run again is the same set, whatever reason is given', async () => {
    const first = await backup('again');
    const second = await world.run(['backup', '--slot', 'again', '--reason', 'pre-upgrade']);
    expect(first.json).toMatchObject({ code: 'SEALED' });
    expect(second.json).toMatchObject({
      ok: true,
      code: 'ALREADY_SEALED',
      set: first.json['set'],
      manifest: first.json['manifest'],
    });
    expect(second.status).toBe(0);
    await expectOneMoreSet();
  }, 60_000);

  test('run by three at the same moment is one set; who comes too late says so with 0 or 4', async () => {
    const all = await Promise.all([1, 2, 3].map(() => backup('thrice')));
    const codes = all.map(({ status, json }) => `${status} ${json.code}`).sort();
    expect(codes.filter((code) => code === '0 SEALED')).toHaveLength(1);
    for (const code of codes) expect(['0 SEALED', '0 ALREADY_SEALED', '4 SLOT_RUNNING']).toContain(code);
    await expectOneMoreSet();
  }, 60_000);

  test.each(MOMENTS)(
    'killed when it %s is taken over at once, and is one set',
    async (moment, sign) => {
      const slot = moment.replaceAll(/[^a-z]+/g, '-');
      const run = startSlowly(slot);
      const gone = ended(run);
      await until(sign, slot);
      run.kill('SIGKILL');
      // The last moment is short: the run may have sealed its set, or even have ended, before we were done with it.
      const last = moment === 'signs the manifest';
      expect(last ? [null, 0] : [null]).toContain((await gone).status);
      await expectNothingLeft();
      expect((await world.run(['status'])).json).toMatchObject({ nodes: [{ running: [] }] });
      const next = await backup(slot);
      const sealedBefore = last && next.json.code === 'ALREADY_SEALED';
      const fence = sealedBefore ? 1 : 2;
      expect(next.json).toMatchObject({ ok: true, code: sealedBefore ? 'ALREADY_SEALED' : 'SEALED', fence });
      await expectOneMoreSet();
      const { json } = await world.run(['show', slot]);
      const cited = JSON.stringify([json['signed'], json['receipts']]).match(/"sets\/[^"]*\/runs\/[^"]*"/g) ?? [];
      expect(cited.length).toBeGreaterThan(8);
      expect(cited.filter((key) => !key.includes(`/runs/${slot}/${fence}/`))).toEqual([]);
    },
    60_000,
  );

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    'ended by %s during a dump ends with %i, shows nothing, and need not be waited for',
    async (signal, status) => {
      const slot = signal.toLowerCase();
      const run = startSlowly(slot);
      const result = ended(run);
      await until(inTheMidst, slot);
      const asked = performance.now();
      run.kill(signal);
      const said = await result;
      expect(performance.now() - asked).toBeLessThan(8000);
      expect(said).toMatchObject({ status, json: { ok: false, code: 'INTERRUPTED', error: { name: 'Interrupted' } } });
      expect(await readdir(scratch)).toEqual([]);
      await expectNothingLeft();
      const after = await standing(world);
      expectNothingVisible(before, after);
      expect(after.files.filter((file) => file.startsWith('.ledgerhold-tmp/'))).toEqual(
        before.files.filter((file) => file.startsWith('.ledgerhold-tmp/')),
      );
      expect((await world.run(['status'])).json).toMatchObject({ nodes: [{ running: [], failed: { slot } }] });
      expect((await backup(slot)).json).toMatchObject({ ok: true, code: 'SEALED', fence: 2 });
      await expectOneMoreSet();
    },
    60_000,
  );

  test('ended twice over stops at once, and is still taken over without waiting', async () => {
    const run = startSlowly('impatient');
    const exit = once(run, 'exit');
    await until(inTheMidst, 'impatient');
    run.kill('SIGINT');
    run.kill('SIGINT');
    expect(await exit).toEqual([130, null]);
    await expectNothingLeft();
    expect((await backup('impatient')).json).toMatchObject({ ok: true, code: 'SEALED', fence: 2 });
    await expectOneMoreSet();
  }, 60_000);
});
