import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EndpointFault } from '../../demo/validator-endpoint.ts';
import { type CliWorld, cliWorld } from '../support/cli-world.ts';
import { describeWithPostgres } from '../support/postgres.ts';
import { expectFailure, expectNothingVisible, type Standing, standing } from '../support/standing.ts';

/** As the table of docs/protocols/splice-identities.md has them. */
const FAULTS: readonly (readonly [fault: EndpointFault, status: number, name: string])[] = [
  ['html', 1, 'NotIdentities'],
  ['redirect', 1, 'RedirectRefused'],
  ['huge', 1, 'BodyTooLarge'],
  ['unauthorized', 2, 'NotAnAdministrator'],
  ['forbidden', 2, 'NotAnAdministrator'],
  ['not-found', 4, 'IdentitiesNotServed'],
  ['server-error', 4, 'ValidatorFailed'],
  ['truncated', 4, 'HostUnreachable'],
  // The whole call has 30 s.
  ['stall', 4, 'RequestTimedOut'],
];

describeWithPostgres('a validator whose endpoint does not do what it should', () => {
  let world: CliWorld;
  let before: Standing;
  beforeAll(async () => {
    world = await cliWorld();
    expect(await world.run(['backup', '--slot', 'good'])).toMatchObject({ status: 0 });
    before = await standing(world);
    expect(before).toMatchObject({ proof: '0 PROVEN', sets: [expect.any(String)] });
  }, 60_000);
  afterAll(() => world.stop());

  async function failing(fault: EndpointFault, slot: string, config = 'ledgerhold.yaml') {
    world.validator.fail(fault);
    try {
      return await world.run(['backup', '--slot', slot, '--config', config]);
    } finally {
      world.validator.fail(undefined);
    }
  }

  /** The very slot that failed, which nobody has to wait for. */
  async function nextSucceeds(slot: string): Promise<void> {
    const next = await world.run(['backup', '--slot', slot]);
    expect(next.json).toMatchObject({ ok: true, code: 'SEALED', fence: 2 });
    const after = await standing(world);
    expect(after.proof).toBe('0 PROVEN');
    expect(after.sets).toEqual([...before.sets, expect.any(String)]);
    before = after;
  }

  test.each(FAULTS)(
    'answering %s ends the run with %i %s, shows nothing, and the next run succeeds',
    async (fault, status, name) => {
      expectFailure(await failing(fault, fault), status, name);
      expectNothingVisible(before, await standing(world));
      await nextSucceeds(fault);
    },
    90_000,
  );

  test.each([
    ['registered', 1, 'ForeignParticipant'],
    ['known by its database alone', 1, 'OrderViolated'],
  ])(
    'giving another participant’s identities, where ours is %s, ends the run with %i %s',
    async (how, status, name) => {
      const registered = `protocol: splice\n    participant: ${world.network.who.id}`;
      const yaml = how === 'registered' ? world.yaml.replace('protocol: splice', registered) : world.yaml;
      expectFailure(await failing('foreign', name, await world.config('foreign.yaml', yaml)), status, name);
      expectNothingVisible(before, await standing(world));
      await nextSucceeds(name);
    },
    60_000,
  );

  test.each([
    ['a wrong secret', /\{ env: VALIDATOR_SECRET \}/, '{ env: WRONG_SECRET }', 2, 'CredentialsRefused'],
    ['a wrong audience', /audience: .*/, 'audience: https://elsewhere.example.com', 2, 'CredentialsRefused'],
    ['a token server that is down', /tokenUrl: .*/, 'tokenUrl: http://127.0.0.1:1/token', 4, 'HostUnreachable'],
    ['the validator for a token server', /tokenUrl: .*/, 'tokenUrl: VALIDATOR/readyz', 1, 'NotAToken'],
  ])(
    '%s ends the run before anything is asked of the validator',
    async (what, from, to, status, name) => {
      const asked = world.validator.asked;
      const config = await world.config(
        'auth.yaml',
        world.yaml.replace(from, to.replace('VALIDATOR', world.validator.url)),
      );
      const slot = what.replaceAll(' ', '-');
      const said = await world.run(['backup', '--slot', slot, '--config', config], { WRONG_SECRET: 'sentinel-secret' });
      expectFailure(said, status, name);
      expect(said.stdout + said.stderr).not.toContain('sentinel-secret');
      expect(world.validator.asked).toBe(asked);
      expectNothingVisible(before, await standing(world));
      await nextSucceeds(slot);
    },
    60_000,
  );
});
