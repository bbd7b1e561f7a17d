import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type RetainableSet, type RetentionGuards, type RetentionPolicy, retention } from '../../core/retention.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-01T00:00:00.000Z');
const NOW = new Date(START + 5000 * HOUR);

const calendar = {
  dayOf: (instant: string) => instant.slice(0, 10),
  weekOf: (instant: string) => `week ${Math.floor((Date.parse(instant) - START) / (168 * HOUR))}`,
};
const sealed = (seq: number, hour: number, more: Partial<RetainableSet> = {}): RetainableSet => ({
  ...{ seq, sealedAt: new Date(START + hour * HOUR).toISOString(), reason: 'schedule', verdict: 'proven' },
  ...more,
});
/** One set every six hours, oldest first. */
const every6h = (count: number) => Array.from({ length: count }, (_, i) => sealed(i + 1, i * 6));

function decide(
  sets: readonly RetainableSet[],
  policy: Partial<RetentionPolicy>,
  guards: Partial<RetentionGuards> = {},
) {
  const decided = retention(sets, { ...calendar, ...policy }, NOW, { inUse: new Map(), ...guards });
  return {
    kept: decided.filter(({ keep }) => keep).map(({ set }) => set.seq),
    reasons: (seq: number) => decided.find(({ set }) => set.seq === seq)?.reasons,
    decided,
  };
}

describe('retention', () => {
  test('says every reason for which a set is kept, and that there is none', () => {
    const { kept, reasons } = decide(every6h(9), { keepLast: 1, daily: 2, weekly: 1 });
    expect(kept).toEqual([9, 8]);
    expect(reasons(9)).toEqual([
      'one of the last 1',
      'the last of 2026-11-03',
      'the last of week 0',
      'the newest proven set',
    ]);
    expect(reasons(8)).toEqual(['the last of 2026-11-02']);
    expect(reasons(1)).toEqual(['no rule keeps it']);
  });

  test('without a policy keeps everything', () => {
    expect(decide(every6h(3), {}).kept).toEqual([3, 2, 1]);
  });

  test('counts days back over those that have a set, so that silence drops nothing', () => {
    const sets = [sealed(1, 0), sealed(2, 24), sealed(3, 24 * 40)];
    expect(decide(sets, { daily: 3 }).kept).toEqual([3, 2, 1]);
  });

  test('takes the newest proven set of a day before an unproven one', () => {
    const sets = [sealed(1, 1), sealed(2, 2), sealed(3, 3, { verdict: 'unknown' }), sealed(4, 30)];
    expect(decide(sets, { daily: 2 }).kept).toEqual([4, 2]);
  });

  test('keeps what is not proven as long as no newer set is', () => {
    const sets = [
      sealed(1, 0, { verdict: 'unknown' }),
      sealed(2, 6),
      sealed(3, 12, { verdict: 'unknown' }),
      sealed(4, 18, { verdict: 'unknown' }),
    ];
    expect(decide(sets, { keepLast: 1 }).kept).toEqual([4, 3, 2]);
    expect(decide(sets, { keepLast: 0 }).reasons(3)).toEqual(['not proven, but no newer set is']);
  });

  test('never drops a set that was pinned, taken before something irreversible, or is in use', () => {
    const sets = [
      sealed(1, 0, { reason: 'pre-upgrade' }),
      sealed(2, 1, { pinned: true }),
      sealed(3, 2),
      sealed(4, 3, { reason: 'manual' }),
      sealed(5, 4),
    ];
    const { kept, reasons } = decide(sets, { keepLast: 1 }, { inUse: new Map([[3, 'a restore plan']]) });
    expect(kept).toEqual([5, 3, 2, 1]);
    expect([reasons(1), reasons(2), reasons(3)]).toEqual([
      ['pinned: taken for pre-upgrade'],
      ['pinned'],
      ['in use: a restore plan'],
    ]);
  });

  test('bridges a pruning window with as few sets as possible', () => {
    const sets = every6h(17);
    const pinned = sets.map((set) => (set.seq === 1 ? { ...set, pinned: true } : set));
    expect(decide(pinned, { keepLast: 1 }, { maxGapHours: 24 }).kept).toEqual([17, 13, 9, 5, 1]);
    expect(decide(pinned, { keepLast: 1 }, { maxGapHours: 20 }).kept).toEqual([17, 14, 11, 8, 5, 2, 1]);
  });

  test('keeps what lies in the future: a clock is wrong, and not the set', () => {
    expect(decide([sealed(1, 9000), sealed(2, 0)], { keepLast: 1 }).reasons(1)).toEqual(['sealed in the future']);
  });
});

describe('laws, for any history and policy', () => {
  const history = fc
    .array(
      fc.record({
        gap: fc.nat(60),
        reason: fc.constantFrom('schedule', 'manual', 'pre-revoke', 'pre-prune'),
        verdict: fc.constantFrom('proven', 'proven', 'unknown', 'violated'),
      }),
      { maxLength: 40 },
    )
    .map((list) => {
      let hour = 0;
      return list.map(({ gap, ...more }, i) => sealed(i + 1, (hour += gap), more as Partial<RetainableSet>));
    });
  const count = fc.option(fc.nat(6), { nil: undefined });
  const policy = fc.record({ keepLast: count, daily: count, weekly: count });
  const maxGapHours = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });
  const law = (check: (sets: RetainableSet[], kept: number[], gap: number | undefined, used: number[]) => void) =>
    fc.assert(
      fc.property(history, policy, maxGapHours, fc.array(fc.nat(40)), (sets, rules, gap, used) => {
        const inUse = new Map(used.map((seq) => [seq, 'test']));
        check(sets, decide(sets, rules, { inUse, maxGapHours: gap }).kept, gap, used);
      }),
    );

  test('the newest proven set stays', () => {
    law((sets, kept) => {
      const newest = sets.findLast(({ verdict }) => verdict === 'proven');
      if (newest !== undefined) expect(kept).toContain(newest.seq);
    });
  });

  test('nothing pinned or in use is dropped', () => {
    law((sets, kept, _, used) => {
      const must = sets.filter(({ reason, seq }) => reason.startsWith('pre-') || used.includes(seq));
      expect(kept).toEqual(expect.arrayContaining(must.map(({ seq }) => seq)));
    });
  });

  test('an unproven set is dropped only behind a newer proven one', () => {
    law((sets, kept) => {
      for (const set of sets.filter(({ seq, verdict }) => verdict !== 'proven' && !kept.includes(seq))) {
        expect(sets.some(({ seq, verdict }) => seq > set.seq && verdict === 'proven')).toBe(true);
      }
    });
  });

  test('no dropped set lies in a gap between kept ones that is longer than allowed', () => {
    law((sets, kept, gap = Infinity) => {
      const at = (seq: number) => Date.parse(sets[seq - 1]?.sealedAt ?? '');
      for (const { seq } of sets.filter((set) => !kept.includes(set.seq))) {
        const [newer, older] = [kept.findLast((other) => other > seq), kept.find((other) => other < seq)];
        if (newer !== undefined && older !== undefined) expect(at(newer) - at(older)).toBeLessThanOrEqual(gap * HOUR);
      }
    });
  });

  test('every set is decided once, with a reason, and deciding again drops no more', () => {
    fc.assert(
      fc.property(history, policy, maxGapHours, (sets, rules, gap) => {
        const { decided, kept } = decide(sets, rules, { maxGapHours: gap });
        expect(decided.map(({ set }) => set.seq)).toEqual(sets.map(({ seq }) => seq).reverse());
        for (const { reasons } of decided) expect(reasons.length).toBeGreaterThan(0);
        const left = sets.filter(({ seq }) => kept.includes(seq));
        expect(decide(left, rules, { maxGapHours: gap }).kept).toEqual(kept);
      }),
    );
  });
});
