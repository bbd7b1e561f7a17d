import { describe, expect, test } from '@jest/globals';
import { pauseSeconds } from '../../core/rds.ts';
import { backupEffort, effortOf } from '../../core/transitions.ts';
import { emitted } from '../support/workflows.ts';

const backup = emitted('backup');
const transitions = (waves: readonly number[], polls: number) => backupEffort(backup, { waves, polls }).transitions;

/** As often as a snapshot of that length is looked at, with the pauses that RDS is given. */
function pollsIn(seconds: number): number {
  let polls = 1;
  for (let elapsed = 0; elapsed < seconds; elapsed += pauseSeconds(elapsed)) polls += 1;
  return polls;
}

describe('the transitions of a backup', () => {
  test('are counted as the definition is written: 8 of the run, 1 a wave, 4 a component and 3 for each wait', () => {
    const outside = transitions([], 1);
    expect(transitions([1], 1) - outside).toBe(1 + 4);
    expect(transitions([1], 5) - transitions([1], 1)).toBe(4 * 3);
    expect(outside).toBe(8);
  });

  test('grow with the components in a straight line', () => {
    const counts = [1, 2, 4, 8, 16, 32].map((components) => transitions([components], 10));
    const each = (components: number) => transitions([components + 1], 10) - transitions([components], 10);
    expect([1, 2, 4, 8, 16, 31].map(each)).toEqual(Array.from({ length: 6 }, () => each(1)));
    expect(counts.at(-1)).toBeLessThan(32 * (counts[0] ?? 0));
  });

  test.each([
    ['32 components whose snapshots take an hour', 32, 1, 10_000],
    ['5 components whose snapshots take 4 hours', 5, 4, 10_000],
    ['32 components whose snapshots take 4 hours, the most of both: what Step Functions allows', 32, 4, 25_000],
  ])('leave room in an execution: %s', (_, components, hours, limit) => {
    const { events } = backupEffort(backup, { waves: [components], polls: pollsIn(hours * 3600) });
    expect(events).toBeLessThan(limit);
  });

  test('and of a look at 1,000 nodes, whose names fill a quarter of a state at most', () => {
    const { events } = effortOf(emitted('retention'), { items: () => 1000, holds: () => false });
    expect(events).toBeGreaterThan(1000);
    expect(events).toBeLessThan(10_000);
    const nodes = Array.from({ length: 1000 }, (_, n) => `${n}-`.padEnd(24, 'x'));
    expect(JSON.stringify({ listNodes: { nodes } }).length).toBeLessThan(64 * 1024);
  });

  test('of a course that never ends are refused', () => {
    const endless = {
      items: () => 1,
      holds: ({ Variable }: { Variable: string }) => Variable !== '$.pollCapture.ended',
    };
    expect(() => effortOf(backup, endless)).toThrow(RangeError);
  });
});
