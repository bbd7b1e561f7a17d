import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Candidate, chooseSet, NoSafeSet, type Wish } from '../../core/choose-set.ts';

const NOW = new Date('2026-11-30T00:00:00.000Z');
const policy = { maxAgeDays: 30, maxAgeReason: 'sequencers are pruned' };
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000).toISOString();
const set = (seq: number, days: number, more: Partial<Candidate> = {}): Candidate => ({
  ...{ id: `validator-1/${seq}`, seq, sealedAt: daysAgo(days), verdict: 'proven', expired: false, missing: [] },
  ...more,
});
const choose = (candidates: Candidate[], wish: Partial<Wish> = {}) =>
  chooseSet(candidates, { now: NOW, policy, ...wish });

describe('without a name', () => {
  test('the newest good set is chosen, and each newer one has its reason', () => {
    const choice = choose([
      set(1, 5),
      set(2, 4, { verdict: 'unknown' }),
      set(3, 3, { missing: ['participant.dump.zst.age'] }),
      set(4, 2, { expired: true, missing: ['x'] }),
      set(5, 1, { verdict: 'violated' }),
    ]);
    expect(choice).toMatchObject({ ok: true, chosen: { seq: 1 }, accepted: [] });
    expect(choice.passedOver).toEqual([
      { id: 'validator-1/5', why: ['its order is violated: a node restored from it forks'] },
      { id: 'validator-1/4', why: ['retention has removed what it held'] },
      { id: 'validator-1/3', why: ['the vault does not hold participant.dump.zst.age'] },
      { id: 'validator-1/2', why: ['its order is not proven'] },
    ]);
  });

  test('of a damaged set nothing else is said: neither its age nor its order can be known', () => {
    const damaged = set(2, 0, { sealedAt: 'never', verdict: 'violated', damage: 'damaged: the signature is wrong' });
    const choice = choose([set(1, 1), damaged]);
    expect(choice).toMatchObject({ ok: true, chosen: { seq: 1 } });
    expect(choice.passedOver).toEqual([{ id: 'validator-1/2', why: ['damaged: the signature is wrong'] }]);
  });

  test('a set from after the wished time is passed over, and one of that very moment is not', () => {
    const to = new Date(daysAgo(2));
    expect(choose([set(1, 3), set(2, 2), set(3, 1)], { to })).toMatchObject({ ok: true, chosen: { seq: 2 } });
  });

  test('age counts from the first capture, in days and with the policy’s reason', () => {
    const old = set(2, 29.9, { takenAt: daysAgo(30.2) });
    const choice = choose([set(1, 40), old]);
    expect(choice).toMatchObject({ ok: false, hazards: [{ hazard: 'absent' }] });
    expect(choice.passedOver[0]?.why).toEqual(['it is 30.2 days old, and 30 are the limit: sequencers are pruned']);
    expect(choose([set(1, 30)])).toMatchObject({ ok: true });
  });

  test('hazards are not accepted for a set that nobody named', () => {
    expect(choose([set(1, 1, { verdict: 'unknown' })], { accept: ['unproven'] })).toMatchObject({ ok: false });
  });

  test('an empty vault has nothing to choose', () => {
    expect(choose([])).toEqual({
      ok: false,
      hazards: [{ hazard: 'absent', why: 'there is no set at all' }],
      passedOver: [],
    });
  });
});

describe('with a name', () => {
  const named = (more: Partial<Candidate>, wish: Partial<Wish> = {}) =>
    choose([set(1, 50, more), set(2, 1)], { set: 'validator-1/1', ...wish });

  test('hazards are refused one by one until each is accepted', () => {
    expect(named({ verdict: 'unknown' })).toMatchObject({
      ok: false,
      hazards: [{ hazard: 'unproven' }, { hazard: 'old' }],
    });
    expect(named({ verdict: 'unknown' }, { accept: ['old'] })).toMatchObject({
      ok: false,
      hazards: [{ hazard: 'unproven' }],
    });
    expect(named({ verdict: 'unknown' }, { accept: ['old', 'unproven'] })).toMatchObject({
      ok: true,
      accepted: [{ hazard: 'unproven' }, { hazard: 'old' }],
      passedOver: [{ id: 'validator-1/2', why: ['nothing speaks against it, but validator-1/1 was named'] }],
    });
  });

  test('a violated, incomplete or expired set is refused whatever is accepted', () => {
    for (const more of [
      { verdict: 'violated' as const },
      { missing: ['x'] },
      { expired: true },
      { damage: 'damaged: x' },
    ]) {
      expect(named(more, { accept: ['old', 'unproven'] })).toMatchObject({ ok: false });
    }
  });

  test('a set that is not there is said to be absent', () => {
    expect(choose([set(1, 1)], { set: 'validator-1/9' })).toMatchObject({ ok: false, hazards: [{ hazard: 'absent' }] });
  });
});

test('a refusal lists what was passed over and how the hazard could be accepted, if it could', () => {
  const refusal = (candidates: Candidate[], wish: Partial<Wish> = {}) => {
    const choice = choose(candidates, wish);
    if (choice.ok) throw new Error('chosen');
    return new NoSafeSet(choice);
  };
  expect(refusal([set(1, 40)]).message).toContain('validator-1/1: it is 40.0 days old');
  expect(refusal([set(1, 40)], { set: 'validator-1/1' }).remedy).toContain('--accept old');
  expect(refusal([set(1, 1, { verdict: 'violated' })], { set: 'validator-1/1' }).remedy).not.toContain('--accept');
});

test('whatever the sets are, no forking, incomplete, expired or too old one is chosen without a person’s word', () => {
  const candidate = fc.record({
    days: fc.double({ min: 0, max: 60, noNaN: true }),
    verdict: fc.constantFrom('proven', 'unknown', 'violated'),
    expired: fc.boolean(),
    missing: fc.constantFrom([], ['x']),
  });
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 8 }), (list) => {
      const sets = list.map(({ days, ...more }, i) => set(i + 1, days, more as Partial<Candidate>));
      const choice = choose(sets);
      const good = sets.filter(
        (each, i) =>
          each.verdict === 'proven' && !each.expired && each.missing.length === 0 && (list[i]?.days ?? 99) <= 30,
      );
      expect(choice.ok ? choice.chosen : undefined).toBe(good.at(-1));
    }),
  );
});
