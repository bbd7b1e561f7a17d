import { chmod, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RestorePlan } from '../../core/restore-plan.ts';
import { markIn } from '../../core/restore-state.ts';
import { ageDecryption, ageIdentity } from '../../io/age.ts';
import { type ApplyOptions, applyPlan, type RestoreStep } from '../../local/restore-apply.ts';
import { previewPlan } from '../../local/restore-preview.ts';
import { undoPlan } from '../../local/restore-undo.ts';
import { connectTo } from '../support/demo-network.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { type RestoreWorld, restoreWorld } from '../support/restore-world.ts';

describeWithPostgres('restore apply', () => {
  let world: RestoreWorld;
  beforeAll(async () => {
    world = await restoreWorld();
  });
  afterAll(() => world.stop());

  const rowsIn = async (database: string): Promise<number> => {
    const client = await connectTo(world.network.server.url(database));
    const { rows } = await client.query<{ n: string }>(
      `SELECT count(*) AS n FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    await client.end();
    return Number(rows[0]?.n);
  };
  const commentOf = async (database: string): Promise<string | null> => {
    const client = await connectTo(world.network.server.url('postgres'));
    const { rows } = await client.query<{ c: string | null }>(
      `SELECT shobj_description(oid, 'pg_database') AS c FROM pg_database WHERE datname = $1`,
      [database],
    );
    await client.end();
    return rows[0]?.c ?? null;
  };
  const steps = (into: RestoreStep[]) => (step: RestoreStep) => void into.push(step);

  test('restores beside, checks, and then changes the names; the old ones stay', async () => {
    const { plan, options } = await world.target('plain');
    const seen: RestoreStep[] = [];
    expect(await applyPlan(plan, { ...options, onStep: steps(seen) })).toEqual([
      { component: 'validator-app', database: 'plain_app', keptAs: 'plain_app_before_validator-1-1', lost: [] },
      {
        ...{ component: 'participant', database: 'plain_participant', lost: [] },
        keptAs: 'plain_participant_before_validator-1-1',
      },
    ]);
    expect(seen.filter(({ kind }) => kind !== 'restoring').map(({ kind }) => kind)).toEqual([
      ...['checked', 'checked', 'in-place', 'in-place'],
    ]);
    expect(await world.databases('plain')).toEqual([
      ...['plain_app', 'plain_app_before_validator-1-1'],
      ...['plain_participant', 'plain_participant_before_validator-1-1'],
    ]);
    expect([await rowsIn('plain_app'), await rowsIn('plain_app_before_validator-1-1')]).toEqual([4, 0]);
    expect(markIn(await commentOf('plain_app'))).toMatchObject({
      set: 'validator-1/1',
      state: 'in-place',
      fencedBy: 'a test',
    });
  });

  /** Both databases of a new target, the property of a role that is no superuser. */
  const ownedBy = async (role: string, target: string) => {
    const admin = await connectTo(world.network.server.url('postgres'));
    await admin.query(`CREATE ROLE ${role} LOGIN CREATEDB PASSWORD '${world.network.server.password}'`);
    const made = await world.target(target);
    for (const database of ['app', 'participant'])
      await admin.query(`ALTER DATABASE ${target}_${database} OWNER TO ${role}`);
    return { ...made, admin };
  };
  const as = (role: string, { source, ...options }: ApplyOptions): ApplyOptions => {
    const url = (component: string) => new URL(source(component).url);
    return { ...options, source: (component) => ({ url: Object.assign(url(component), { username: role }).href }) };
  };

  test('owner, rights and settings of the old database are those of the restored one', async () => {
    const { plan, options, admin } = await ownedBy('app', 'owned');
    await admin.query('CREATE ROLE auditor');
    for (const command of [
      'ALTER DATABASE owned_app SET search_path TO "$user", public, "odd, name"',
      `ALTER DATABASE owned_app SET work_mem TO '5MB'`,
      `ALTER DATABASE owned_app SET ledgerhold.test TO 'it''s, "kept"'`,
      'ALTER DATABASE owned_app SET default_transaction_read_only TO off',
      `ALTER ROLE app IN DATABASE owned_app SET statement_timeout TO '77s'`,
      'ALTER DATABASE owned_app CONNECTION LIMIT 17',
      'REVOKE CONNECT ON DATABASE owned_app FROM PUBLIC',
      'GRANT CONNECT ON DATABASE owned_app TO auditor WITH GRANT OPTION',
    ])
      await admin.query(command);
    const told = async (database: string) => {
      const { rows } = await admin.query(
        `SELECT pg_get_userbyid(datdba) AS owner, datconnlimit, array(SELECT aclexplode(datacl)::text ORDER BY 1) AS acl,
           array(SELECT setrole::regrole || array_to_string(setconfig, ';') FROM pg_db_role_setting
                 WHERE setdatabase = d.oid ORDER BY setrole) AS settings
         FROM pg_database d WHERE datname = $1`,
        [database],
      );
      return rows[0];
    };
    const before = await told('owned_app');
    expect((await applyPlan(plan, options)).map(({ lost }) => lost)).toEqual([[], []]);
    expect(await told('owned_app')).toEqual(before);
    expect(before).toMatchObject({ owner: 'app', datconnlimit: 17 });
    await admin.end();
    const app = await connectTo(world.network.server.url('owned_participant', 'app'));
    expect((await app.query('UPDATE lapi_parameters SET ledger_end = ledger_end + 1')).rowCount).toBe(1);
    const { rows } = await app.query(`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`);
    expect(rows).toEqual([{ tableowner: 'app' }]);
    await app.end();
  });

  test('the owner restores without being a superuser, and is told which settings need one', async () => {
    const { plan, options, admin } = await ownedBy('modest', 'modest');
    await admin.query(`ALTER DATABASE modest_app SET log_statement TO 'ddl'`);
    await admin.query(`ALTER DATABASE modest_app SET work_mem TO '5MB'`);
    await admin.end();
    expect((await applyPlan(plan, as('modest', options))).map(({ lost }) => lost)).toEqual([['log_statement'], []]);
    expect((await applyPlan(plan, as('modest', options)))[0]?.lost).toEqual(['log_statement']);
  });

  test('a user who may not act as the owner is refused before anything is restored', async () => {
    const { plan, options, admin } = await ownedBy('landlord', 'rented');
    await admin.query(`CREATE ROLE tenant LOGIN CREATEDB PASSWORD '${world.network.server.password}'`);
    await expect(applyPlan(plan, as('tenant', options))).rejects.toMatchObject({
      ...{ name: 'NotTheOwner', kind: 'refused' },
      message: 'database rented_app belongs to landlord, and tenant may not act as landlord',
    });
    expect(await world.databases('rented')).toEqual(['rented_app', 'rented_participant']);
    await admin.query('GRANT landlord TO tenant');
    await admin.end();
    expect(await applyPlan(plan, as('tenant', options))).toHaveLength(2);
    const landlord = await connectTo(world.network.server.url('rented_participant', 'landlord'));
    expect((await landlord.query('UPDATE lapi_parameters SET ledger_end = ledger_end')).rowCount).toBe(1);
    await landlord.end();
  });

  test('a plan that has lain about for too long is refused, unless it says that this was accepted', async () => {
    const { plan, options } = await world.target('stale');
    const late = { ...options, clock: { now: () => new Date(Date.now() + 31 * 86_400_000) } };
    await expect(applyPlan(plan, late)).rejects.toMatchObject({
      ...{ name: 'NoSafeSet', kind: 'refused' },
      message: expect.stringContaining('it is 31.0 days old, and 30 are the limit'),
    });
    await expect(previewPlan(plan, late)).rejects.toMatchObject({ name: 'NoSafeSet' });
    expect(await world.databases('stale')).toEqual(['stale_app', 'stale_participant']);
    const accepted = [{ hazard: 'old' as const, why: 'a person said so' }];
    expect(await applyPlan({ ...plan, accepted }, late)).toHaveLength(2);
  });

  test('run again finds everything done, even with the node running on it', async () => {
    const { plan, options } = await world.target('again');
    const first = await applyPlan(plan, options);
    const client = await connectTo(world.network.server.url('again_participant'));
    await client.query('UPDATE lapi_parameters SET ledger_end = ledger_end + 100');
    expect(await applyPlan(plan, options)).toEqual(first);
    await client.end();
  });

  test('makes the databases where there are none', async () => {
    const { plan, options } = await world.target('fresh');
    const admin = await connectTo(world.network.server.url('postgres'));
    for (const database of ['fresh_app', 'fresh_participant']) await admin.query(`DROP DATABASE ${database}`);
    await admin.end();
    expect((await applyPlan(plan, options)).map(({ keptAs }) => keptAs)).toEqual([null, null]);
    expect(await world.databases('fresh')).toEqual(['fresh_app', 'fresh_participant']);
  });

  test('goes back: old names return, and what was in place is kept', async () => {
    const { plan, options } = await world.target('back');
    await applyPlan(plan, options);
    expect((await undoPlan(plan, options)).map(({ outcome }) => outcome)).toEqual(['back', 'back']);
    expect(await world.databases('back')).toEqual([
      ...['back_app', 'back_app_validator-1-1', 'back_participant', 'back_participant_validator-1-1'],
    ]);
    expect(await rowsIn('back_app')).toBe(0);
    await expect(applyPlan(plan, options)).rejects.toMatchObject({ name: 'DatabaseNameTaken', kind: 'refused' });
  });

  /** Everything that must be refused, and the name it is refused by. */
  test.each<[string, string, (plan: RestorePlan, options: ApplyOptions) => Promise<[RestorePlan, ApplyOptions]>]>([
    ['a node that nobody has stopped', 'FenceMissing', async (plan, { fencedBy: _, ...rest }) => [plan, rest]],
    ['a key that did not sign', 'SetNotProven', async (plan, options) => [plan, { ...options, publicKeys: [] }]],
    [
      'a plan for another manifest',
      'PlanOutdated',
      async (plan, options) => [{ ...plan, manifest: plan.components[0]?.artifact.sha256 ?? plan.manifest }, options],
    ],
    [
      'a plan with another artifact',
      'PlanOutdated',
      async (plan, options) => {
        const [identities, app, participant] = plan.components;
        if (identities === undefined || app === undefined || participant === undefined)
          throw new Error('a part is missing');
        return [
          { ...plan, components: [identities, { ...app, artifact: participant.artifact }, participant] },
          options,
        ];
      },
    ],
    [
      'a config that means another database by now',
      'PlanOutdated',
      async (plan, options) => [plan, { ...options, source: () => ({ url: world.network.server.url('elsewhere') }) }],
    ],
    ['no identity', 'IdentityNeeded', async (plan, { decrypt: _, ...rest }) => [plan, rest]],
    [
      'the wrong identity',
      'WrongIdentity',
      async (plan, options) => [plan, { ...options, decrypt: ageDecryption((await ageIdentity()).identity) }],
    ],
  ])('refuses %s', async (_, name, change) => {
    const { plan, options } = await world.target(`refused_${Math.trunc(Math.random() * 1e9)}`);
    await expect(applyPlan(...(await change(plan, options)))).rejects.toMatchObject({ name });
  });

  test('refuses databases that somebody uses, before anything is restored', async () => {
    const { plan, options } = await world.target('used');
    const client = await connectTo(`${world.network.server.url('used_participant')}?application_name=canton`);
    await expect(applyPlan(plan, options)).rejects.toMatchObject({
      ...{ name: 'TargetInUse', kind: 'refused' },
      message: 'database used_participant is in use by canton (user postgres, from 127.0.0.1)',
    });
    await client.end();
    expect(await world.databases('used')).toEqual(['used_app', 'used_participant']);
  });

  test('changes no name if somebody connects meanwhile', async () => {
    const { plan, options } = await world.target('late');
    let client: Awaited<ReturnType<typeof connectTo>> | undefined;
    const connecting = async () => {
      client ??= await connectTo(world.network.server.url('late_app'));
    };
    let connected = Promise.resolve();
    const onStep = ({ kind }: RestoreStep) => {
      if (kind === 'restoring') connected = connecting();
    };
    await expect(applyPlan(plan, { ...options, onStep })).rejects.toMatchObject({ name: 'TargetInUse' });
    await connected;
    await client?.end();
    expect(await world.databases('late_app')).toEqual(['late_app', 'late_app_validator-1-1']);
    expect(await applyPlan(plan, options)).toHaveLength(2);
  });

  test('never touches a database that is not its own', async () => {
    const { plan, options } = await world.target('foreign');
    const admin = await connectTo(world.network.server.url('postgres'));
    await admin.query('CREATE DATABASE "foreign_app_validator-1-1"');
    const theirs = await connectTo(world.network.server.url('foreign_app_validator-1-1'));
    await theirs.query('CREATE TABLE theirs (id int)');
    await theirs.end();
    await expect(applyPlan(plan, options)).rejects.toMatchObject({ name: 'DatabaseNameTaken' });
    await admin.query('DROP DATABASE "foreign_app_validator-1-1"');
    // What an attempt leaves that was killed between making it and marking it.
    await admin.query('CREATE DATABASE "foreign_app_validator-1-1"');
    expect(await applyPlan(plan, options)).toHaveLength(2);
    await admin.end();
  });

  test('a newer set refuses an older plan', async () => {
    const { plan, options } = await world.target('older');
    await world.backup('second');
    await expect(applyPlan(plan, options)).rejects.toMatchObject({
      ...{ name: 'PlanOutdated', kind: 'refused' },
      message: expect.stringContaining('set validator-1/2 was sealed after it'),
    });
    const head = join(world.folder, 'vault/sets/validator-1/manifests/00000002.json');
    await chmod(head, 0o600);
    await truncate(head, 100);
    // A plan made now passes over the damaged set, and so must its execution.
    expect(await applyPlan(plan, options)).toHaveLength(2);
  });
});
