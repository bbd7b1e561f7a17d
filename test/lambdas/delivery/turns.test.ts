import { describe, expect, test } from '@jest/globals';
import { MemberUnavailable } from '../../../core/delivery.ts';
import { readMember } from '../../../vault/members.ts';
import { deployedDelivery } from '../../support/delivery-turns.ts';

const bytes = (text: string) => Buffer.from(text);
const AWAY = { name: 'MemberUnavailable', message: 'away', remedy: 'Wait.' };
const doesNotAnswer = async () => {
  throw new MemberUnavailable('away', 'Wait.');
};

describe('a turn that a member does not answer', () => {
  test('says why a new destination could not be checked, until it is', async () => {
    const { act, turn, look, vault, storeOf } = deployedDelivery();
    const member = async () => (await readMember(vault, 'bank-a'))?.value;
    await act('bank-a', { what: 'register', destination: { kind: 'folder', path: '/bank-a' } });
    storeOf('bank-a').check = doesNotAnswer;
    expect(await turn('bank-a')).toMatchObject({ outcome: 'failed', more: false });
    expect(await member()).toMatchObject({ state: 'invited', check: null, fault: AWAY, retry: null });
    expect((await look()).pages).toEqual([['bank-a']]);
    storeOf('bank-a').check = async () => [];
    await turn('bank-a');
    expect(await member()).toMatchObject({ state: 'checked', check: { faults: [] }, fault: null });
  });

  test('degrades who does not answer its weekly check, tries again less and less often, and takes it back', async () => {
    const { history, join, turn, look, storeOf, later, vault } = deployedDelivery();
    const member = async () => (await readMember(vault, 'bank-a'))?.value;
    await history.seal(bytes('a'));
    await join('bank-a');
    await turn('bank-a');
    later(7 * 86_400);
    storeOf('bank-a').check = doesNotAnswer;
    for (const failures of [1, 2]) {
      expect(await turn('bank-a')).toMatchObject({ outcome: 'failed', more: false });
      expect(await member()).toMatchObject({ state: 'degraded', fault: AWAY, retry: { failures } });
      later(3600);
    }
    storeOf('bank-a').check = async () => [];
    expect((await look()).pages).toEqual([['bank-a']]);
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole' });
    expect(await member()).toMatchObject({ state: 'active', fault: null, retry: null });
  });

  test('comes again with every hour to a member whose store stays away', async () => {
    const { history, join, turn, look, storeOf, later } = deployedDelivery();
    await history.seal(bytes('a'));
    await join('bank-a');
    storeOf('bank-a').fault = 'away';
    for (let hour = 0; hour < 12; hour += 1) {
      expect([hour, (await look()).pages]).toEqual([hour, [['bank-a']]]);
      // A turn ends some time behind the tick that began it, and its next try is counted from then.
      later(540);
      expect(await turn('bank-a')).toMatchObject({ outcome: 'failed' });
      later(3600 - 540);
    }
  });

  test('tries a member that has failed at once where somebody asks for it', async () => {
    const { history, join, turn, act, look, storeOf } = deployedDelivery();
    await history.seal(bytes('a'));
    await join('bank-a');
    storeOf('bank-a').fault = 'away';
    await turn('bank-a');
    storeOf('bank-a').fault = undefined;
    expect(await turn('bank-a')).toMatchObject({ outcome: 'later' });
    await act('bank-a', { what: 'ask' });
    expect((await look()).pages).toEqual([['bank-a']]);
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole' });
  });

  test('leaves a suspension its fault where the check that it wants is not answered', async () => {
    const { register, act, turn, storeOf, vault } = deployedDelivery();
    await register('bank-a');
    await act('bank-a', { what: 'suspend', fault: { name: 'X', message: 'm', remedy: 'r' } });
    storeOf('bank-a').check = doesNotAnswer;
    expect(await turn('bank-a')).toMatchObject({ outcome: 'failed', more: false });
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({
      ...{ state: 'suspended', fault: { name: 'X' }, checkAsked: expect.any(String) },
    });
  });

  test('takes back that a member has failed, also where it lacks nothing any more', async () => {
    const { history, join, turn, look, act, later, vault } = deployedDelivery();
    await history.seal(bytes('a'));
    await join('bank-a');
    await turn('bank-a');
    await act('bank-a', { what: 'degrade', fault: { name: 'MemberUnavailable', message: 'm', remedy: 'r' } });
    expect((await look()).pages).toEqual([]);
    later(3600);
    expect((await look()).pages).toEqual([['bank-a']]);
    await turn('bank-a');
    expect((await readMember(vault, 'bank-a'))?.value.state).toBe('active');
  });
});

describe('a turn goes on with what came while it was at work', () => {
  test('a seal while it read back, once', async () => {
    const { history, joinReadable, turn, storeOf, held, shared } = deployedDelivery();
    await history.seal(bytes('a'), bytes('b'));
    await joinReadable('bank-a');
    const store = storeOf('bank-a');
    const read = store.read.bind(store);
    let seals = 0;
    store.read = async (key) => {
      if (seals++ === 0) await history.seal(bytes('c'));
      return read(key);
    };
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole', more: true });
    expect(seals).toBeGreaterThan(0);
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole', more: false, objects: expect.any(Number) });
    expect(held('bank-a')).toEqual(shared());
  });

  test.each([
    ['on again while what it has is written down', true],
    ['and left so', false],
  ])('where it was switched off, %s', async (_, again) => {
    const { vault, history, join, turn, act, storeOf, later, held, shared } = deployedDelivery();
    for (let n = 0; n < 5; n++) await history.seal(bytes(String(n)));
    await join('bank-a');
    const target = (environmentBackupTarget: boolean) => act('bank-a', { what: 'set', environmentBackupTarget });
    const [store, putOnce] = [storeOf('bank-a'), vault.putOnce.bind(vault)];
    const put = store.put.bind(store);
    store.put = async (...asked) => {
      await target(false);
      later(6);
      return put(...asked);
    };
    vault.putOnce = async (key, body) => {
      if (again && key.startsWith('deliveries/')) await target(true);
      return putOnce(key, body);
    };
    expect(await turn('bank-a')).toMatchObject({ outcome: 'off', more: again });
    Object.assign(store, { put });
    Object.assign(vault, { putOnce });
    expect(await turn('bank-a')).toMatchObject({ outcome: again ? 'whole' : 'off', more: false });
    expect(held('bank-a').length === shared().length).toBe(again);
  });

  test('a check that was asked for and a chain that is wanted since, also where it does not read back', async () => {
    const { history, second, join, turn, act, storeOf, held, shared, vault } = deployedDelivery();
    await history.seal(bytes('a'));
    await second.seal(bytes('b'));
    await join('bank-a');
    await act('bank-a', { what: 'set', chains: ['consortium'] });
    let puts = 0;
    const store = storeOf('bank-a');
    const put = store.put.bind(store);
    store.put = async (...asked) => {
      if (puts++ === 0) await act('bank-a', { what: 'set', chains: null }, { what: 'ask' });
      return put(...asked);
    };
    expect(await turn('bank-a')).toMatchObject({ outcome: 'more', more: true });
    expect(await turn('bank-a')).toMatchObject({ outcome: 'whole', more: false });
    expect(held('bank-a')).toEqual(shared());
    expect((await readMember(vault, 'bank-a'))?.value.checkAsked).toBeUndefined();
  });

  test('a destination that was registered while the one before was looked at', async () => {
    const { act, turn, storeOf, vault } = deployedDelivery();
    const to = (path: string) => ({ what: 'register', destination: { kind: 'folder', path } }) as const;
    await act('bank-a', to('/first'));
    let looks = 0;
    storeOf('bank-a').check = async () => {
      looks += 1;
      if (looks === 1) await act('bank-a', to('/second'));
      return [];
    };
    expect(await turn('bank-a')).toMatchObject({ outcome: 'off', more: true });
    expect(await turn('bank-a')).toMatchObject({ outcome: 'off', more: false });
    expect((await readMember(vault, 'bank-a'))?.value).toMatchObject({ state: 'checked', since: 2 });
  });
});

describe('a turn where a chain is damaged', () => {
  async function damagedWorld() {
    const world = deployedDelivery();
    await world.history.seal(bytes('a'));
    for (let n = 0; n < 5; n++) await world.second.seal(bytes(String(n)));
    await world.joinReadable('bank-a');
    world.vault.objects.delete('chain/consortium/runs/slot-1/1/agreement.json');
    return world;
  }

  test('goes on turn after turn with the others while there is more, and fails by it in the end', async () => {
    const { turn, held, shared, storeOf, later } = await damagedWorld();
    storeOf('bank-a').onPut = () => later(20);
    let turns = 0;
    for (; turns < 9 && (await turn('bank-a', 60_000).catch(() => undefined))?.more === true; turns += 1);
    expect(turns).toBeGreaterThan(1);
    expect(turns).toBeLessThan(9);
    expect(held('bank-a')).toEqual(expect.arrayContaining(shared().filter((key) => key.startsWith('chain/second/'))));
    await expect(turn('bank-a')).rejects.toMatchObject({ kind: 'violation' });
  });

  test('reads back what is there before it fails', async () => {
    const { turn, storeOf } = await damagedWorld();
    await expect(turn('bank-a')).rejects.toMatchObject({ kind: 'violation' });
    expect(storeOf('bank-a').keysRead).not.toEqual([]);
  });

  test('comes to an end also where a turn has time for nothing, since nothing more is sound', async () => {
    const { turn } = await damagedWorld();
    await turn('bank-a').catch(() => {});
    await expect(turn('bank-a', 0)).rejects.toMatchObject({ kind: 'violation' });
  });
});
