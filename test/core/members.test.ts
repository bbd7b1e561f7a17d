import { describe, expect, test } from '@jest/globals';
import { EMPTIED } from '../../core/check-reports.ts';
import { afterAct, type Member, type MemberAct, SUSPENDED_BY_HAND } from '../../core/members.ts';
import { Instant } from '../../core/names.ts';

const now = new Date('2026-11-01T00:00:00Z');
const at = Instant.parse(now.toISOString());
const sound: MemberAct = { what: 'check', report: { at, faults: [] } };
const fault = (name: string) => ({ name, message: 'm', remedy: 'r' });

/** What a member comes to by these acts. */
const after = (...acts: MemberAct[]) => {
  let member: Member | undefined;
  for (const [n, act] of acts.entries()) {
    member = { member: 'bank-a', ...afterAct(member, act, n + 1, now) } as unknown as Member;
  }
  return member;
};
const registered: MemberAct[] = [
  { what: 'register', destination: { kind: 'folder', path: '/a' } },
  sound,
  { what: 'set', environmentBackupTarget: true },
];

describe('the life of a member', () => {
  test('leads from a registration and a check that finds nothing to what is delivered to', () => {
    expect(after(...registered)).toMatchObject({ state: 'active', since: 1, wasSound: true });
  });

  test('further chains are a backfill like what was there before it became a target; fewer are none', () => {
    const later = new Date('2026-11-02T00:00:00Z');
    const some = after(...registered, { what: 'set', chains: ['a', 'b'] });
    const since = (chains: string[] | null) => afterAct(some, { what: 'set', chains }, 9, later).targetSince;
    expect([since(['a']), since(['b', 'a'])]).toEqual([at, at]);
    expect([since(['a', 'c']), since(null)]).toEqual([later.toISOString(), later.toISOString()]);
  });

  test('after a refusal a destination is to be looked at again, and is not resumed before', () => {
    const refused = [...registered, { what: 'suspend', fault: fault('ACCESS_DENIED') } as const];
    expect(after(...refused)).toMatchObject({ state: 'suspended', checkAsked: at });
    expect(() => after(...refused, { what: 'resume' })).toThrow('cannot resume');
    const still: MemberAct = { what: 'check', report: { at, faults: [fault('OVERWRITABLE')] } };
    expect(() => after(...refused, still, { what: 'resume' })).toThrow('cannot resume');
    expect(after(...refused, sound, { what: 'resume' })).toMatchObject({ state: 'active', fault: null });
  });

  test('whose bucket was found emptied stays so, whatever later checks find, until it is registered again', () => {
    const emptied: MemberAct = { what: 'check', report: { at, faults: [fault(EMPTIED)] } };
    const found = [...registered, emptied];
    expect(after(...found)).toMatchObject({ state: 'suspended', fault: { name: EMPTIED } });
    for (const looked of [sound, emptied]) {
      expect(after(...found, looked)?.check?.faults.map(({ name }) => name)).toEqual([EMPTIED]);
      expect(() => after(...found, looked, { what: 'resume' })).toThrow('cannot resume');
    }
    const [register = sound] = registered;
    expect(after(...found, register, sound)).toMatchObject({ state: 'checked', since: 5, check: { faults: [] } });
  });

  test('what an operator has spoken, no fault that comes after it takes back', () => {
    const byHand = [...registered, { what: 'suspend', fault: fault(SUSPENDED_BY_HAND) } as const];
    expect(after(...byHand, { what: 'suspend', fault: fault('ACCESS_DENIED') })).toMatchObject({
      state: 'suspended',
      fault: { name: SUSPENDED_BY_HAND },
    });
    expect(after(...byHand, { what: 'resume' })).toMatchObject({ state: 'active' });
  });
});
