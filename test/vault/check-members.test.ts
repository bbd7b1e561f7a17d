import { describe, expect, test } from '@jest/globals';
import { DeliveryRoleUnusable, MemberUnavailable } from '../../core/delivery.ts';
import type { Member } from '../../core/members.ts';
import { checkWeekly } from '../../vault/check-members.ts';
import { readMember, readMembers } from '../../vault/members.ts';
import { deliveryWorld } from '../support/delivery-world.ts';

function checkWorld() {
  const world = deliveryWorld();
  const asked: string[] = [];
  const away = new Set<string>();
  const unusable = new Set<string>();
  const destinationOf = ({ member }: Member) => ({
    ...world.storeOf(member),
    check: async () => {
      asked.push(member);
      if (unusable.has(member)) throw new DeliveryRoleUnusable(`no role for ${member}`, 'Name it.');
      if (away.has(member)) throw new MemberUnavailable(`${member} is away`, 'Wait.');
      return [];
    },
  });
  const check = async () => {
    asked.length = 0;
    const members = (await readMembers(world.vault)).members.map(({ value }) => value);
    await checkWeekly({ ...world.registry, destinationOf: destinationOf as never }, members);
    return [...asked];
  };
  return { ...world, away, unusable, check };
}

describe('with each delivery', () => {
  test('a destination that nobody has looked at is checked, and then no more for a week', async () => {
    const { act, check, later } = checkWorld();
    await act('bank-a', { what: 'register', destination: { kind: 'folder', path: '/a' } });
    await act('bank-b', { what: 'invite' });
    expect(await check()).toEqual(['bank-a']);
    expect(await check()).toEqual([]);
    await act('bank-a', { what: 'set', environmentBackupTarget: true });
    later(7 * 86_400);
    expect(await check()).toEqual(['bank-a']);
  });

  test('what somebody has asked for is checked until it was, whatever state it is in, and not if it has left', async () => {
    const { act, register, check, away } = checkWorld();
    await register('bank-a');
    expect(await check()).toEqual([]);
    await act('bank-a', { what: 'suspend', fault: { name: 'X', message: 'm', remedy: 'r' } }, { what: 'ask' });
    away.add('bank-a');
    expect([await check(), await check()]).toEqual([['bank-a'], ['bank-a']]);
    away.clear();
    expect([await check(), await check()]).toEqual([['bank-a'], []]);
    await act('bank-a', { what: 'ask' }, { what: 'leave' });
    expect(await check()).toEqual([]);
  });

  test('what is ours and keeps one from being looked at keeps no other, and is told at the end', async () => {
    const { join, check, unusable, later, vault } = checkWorld();
    await join('bank-a', 'bank-b');
    later(7 * 86_400);
    unusable.add('bank-a');
    await expect(check()).rejects.toMatchObject({ name: 'DeliveryRoleUnusable' });
    const states = (await readMembers(vault)).members.map(({ value }) => [value.member, value.state, value.check?.at]);
    expect(states).toEqual([
      ['bank-a', 'active', '2026-11-01T00:00:00.000Z'],
      ['bank-b', 'active', '2026-11-08T00:00:00.000Z'],
    ]);
  });

  test('one that is not reached is degraded as by a delivery that fails, and once before its next try', async () => {
    const { join, act, check, away, later, vault } = checkWorld();
    const member = async () => (await readMember(vault, 'bank-a'))?.value;
    await join('bank-a');
    later(7 * 86_400);
    away.add('bank-a');
    await check();
    expect(await member()).toMatchObject({ state: 'degraded', fault: { message: 'bank-a is away' } });
    await act('bank-a', { what: 'recover' }, { what: 'ask' });
    // A delivery fails just before the check that was asked for.
    await act('bank-a', { what: 'degrade', fault: { name: 'MemberUnavailable', message: 'm', remedy: 'r' } });
    expect(await check()).toEqual(['bank-a']);
    expect((await member())?.retry).toMatchObject({ failures: 1 });
  });
});
