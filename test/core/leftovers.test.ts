import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { leftovers, type RunFolder } from '../../core/leftovers.ts';
import { Fence, Instant } from '../../core/names.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const instant = (hoursAgo: number) => Instant.parse(new Date(NOW.getTime() - hoursAgo * 3_600_000).toISOString());
const lease = (state: 'held' | 'sealed' | 'failed', endedHoursAgo: number, fence = 1) => ({
  ...{ state, fence: Fence.parse(fence) },
  ...{ at: instant(endedHoursAgo + (state === 'held' ? 0.25 : 0)), expiresAt: instant(endedHoursAgo) },
});
const run = (more: Partial<RunFolder>): RunFolder => ({
  slot: 's',
  fence: 1,
  cited: false,
  lease: lease('failed', 48),
  ...more,
});

describe('leftovers', () => {
  test.each<[string, Partial<RunFolder>, boolean]>([
    ['a run that failed two days ago is swept', {}, true],
    ['a run whose lease expired two days ago is swept', { lease: lease('held', 48) }, true],
    [
      'an attempt that was taken over, and whose slot is sealed since, is swept',
      { lease: lease('sealed', 48, 2) },
      true,
    ],
    ['what a manifest cites stays, whatever its lease says', { cited: true }, false],
    ['a run with a live lease stays', { lease: lease('held', -0.1) }, false],
    ['an older attempt at a slot with a live lease stays', { lease: lease('held', -0.1, 2) }, false],
    ['a run that ended within a day stays', { lease: lease('failed', 23) }, false],
    ['a run without a lease stays', { lease: undefined }, false],
    ['a run whose attempt is newer than its lease stays', { fence: 2 }, false],
    ['a run that its lease calls sealed stays, although nothing cites it', { lease: lease('sealed', 48) }, false],
  ])('%s', (_, more, sweep) => {
    expect(leftovers([run(more)], NOW)).toEqual([expect.objectContaining({ sweep })]);
  });

  test('nothing that is cited, live or without a lease is ever swept', () => {
    const anyLease = fc.option(
      fc
        .tuple(
          fc.constantFrom('held', 'sealed', 'failed'),
          fc.double({ min: -50, max: 50, noNaN: true }),
          fc.integer({ min: 1, max: 3 }),
        )
        .map(([state, hours, fence]) => lease(state as 'held', hours, fence)),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.boolean(), anyLease, fc.integer({ min: 1, max: 3 }), (cited, held, fence) => {
        const [decided] = leftovers([run({ cited, lease: held, fence })], NOW);
        const live = held?.state === 'held' && Date.parse(held.expiresAt) > NOW.getTime();
        if (cited || held === undefined || live) expect(decided?.sweep).toBe(false);
      }),
    );
  });
});
