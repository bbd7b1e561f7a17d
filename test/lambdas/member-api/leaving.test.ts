import { describe, expect, test } from '@jest/globals';
import { actOn } from '../../../vault/members.ts';
import { apiWorld, BANK_A, registryOf, SOUND } from '../../support/api-world.ts';

const BUCKET = { bucket: 'bank-a-ledgers', region: 'eu-west-1' };
const put = '/members/bank-a/destination';
const one = '/members/bank-a';

describe('a member that leaves', () => {
  const leave = (world: ReturnType<typeof apiWorld>) => world.call(BANK_A, 'DELETE', put);
  const joined = async () => {
    const world = apiWorld();
    await world.call(BANK_A, 'PUT', put, BUCKET);
    await actOn(registryOf(world), 'bank-a', SOUND);
    await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: true });
    return world;
  };

  test('is no target any more, keeps its destination in the registry, and leaves once', async () => {
    const world = await joined();
    const left = await leave(world);
    expect(left).toMatchObject({ status: 200, json: { state: 'left', environmentBackupTarget: false, n: 4 } });
    expect(left.json).toMatchObject({ destination: BUCKET, checkWanted: false });
    const started = world.started.length;
    expect(await leave(world)).toEqual(left);
    expect(world.started).toHaveLength(started);
    expect((await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: true })).json.error.name).toBe(
      'MemberActRefused',
    );
  });

  test('comes back by registering again, from the beginning, as often a day as anybody registers', async () => {
    const world = await joined();
    await leave(world);
    const back = await world.call(BANK_A, 'PUT', put, BUCKET);
    expect(back.json).toMatchObject({ state: 'invited', environmentBackupTarget: false, checkWanted: true });
    const statuses = [];
    for (let n = 0; n < 9; n++) {
      expect((await leave(world)).status).toBe(200);
      statuses.push((await world.call(BANK_A, 'PUT', put, BUCKET)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 8 }, () => 200), 429]);
  });

  test('can do so also where it has changed its mind all day', async () => {
    const world = await joined();
    for (let n = 0; n < 200; n++) await world.call(BANK_A, 'PATCH', one, { environmentBackupTarget: n % 2 === 0 });
    expect((await world.call(BANK_A, 'PATCH', one, { chains: ['consortium'] })).status).toBe(429);
    expect((await leave(world)).json.state).toBe('left');
  });

  test('gets around nothing that the operator has spoken, before it or after', async () => {
    const refused = { status: 409, json: { error: { name: 'SuspendedByOperator' } } };
    const suspended = await joined();
    const fault = { name: 'SUSPENDED', message: 'm', remedy: 'r' };
    await actOn(registryOf(suspended), 'bank-a', { what: 'suspend', fault });
    for (let n = 0; n < 2; n++) expect((await leave(suspended)).json.state).toBe('left');
    expect(await suspended.call(BANK_A, 'PUT', put, BUCKET)).toMatchObject(refused);
    const removed = await joined();
    await leave(removed);
    await actOn(registryOf(removed), 'bank-a', { what: 'leave' });
    await leave(removed);
    expect(await removed.call(BANK_A, 'PUT', put, BUCKET)).toMatchObject(refused);
    await actOn(registryOf(removed), 'bank-a', { what: 'invite' });
    expect((await removed.call(BANK_A, 'PUT', put, BUCKET)).status).toBe(200);
  });

  test('without having registered is told so', async () => {
    expect(await leave(apiWorld())).toMatchObject({ status: 404, json: { error: { name: 'NotRegistered' } } });
  });
});
