import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Cron, cronOf, timesADay } from '../../core/cron.ts';
import { schedule } from '../../core/schedule.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3600, 86_400];

/** What EventBridge's documentation says of these fields, in UTC: every instant from `from` until before `to`. */
function firings({ minute, hour, weekDay }: Cron, from: Date, to: Date): string[] {
  const allows = (field: string, value: number) => field === '*' || field.split(',').includes(String(value));
  const found: string[] = [];
  for (let at = from.getTime(); at < to.getTime(); at += MINUTE) {
    const date = new Date(at);
    if (!allows(minute, date.getUTCMinutes()) || !allows(hour, date.getUTCHours())) continue;
    if (weekDay === 'MON' && date.getUTCDay() !== 1) continue;
    found.push(date.toISOString());
  }
  return found;
}

function due(everySeconds: number, from: Date, to: Date): string[] {
  const { next } = schedule(everySeconds, 'UTC');
  const found: string[] = [];
  for (let at = next(new Date(from.getTime() - 1)); at < to; at = next(at)) found.push(at.toISOString());
  return found;
}

const periods = [
  ...[1, 5, 10, 12, 15, 20, 30].map((minutes) => minutes * 60),
  ...Array.from({ length: 24 }, (_, hour) => (hour + 1) * HOUR),
  7 * DAY,
];

describe('a cron', () => {
  test.each(periods)('every %d s names the instants of the local schedule, and no others', (everySeconds) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (days) => {
        const from = new Date(days * DAY * 1000);
        const to = new Date(from.getTime() + 9 * DAY * 1000);
        expect(firings(cronOf(everySeconds), from, to)).toEqual(due(everySeconds, from, to));
      }),
      { numRuns: 1 },
    );
  });

  test.each([
    ['90 minutes', 90 * 60],
    ['7 minutes', 7 * 60],
    ['30 seconds', 30],
    ['25 hours', 25 * HOUR],
    ['2 days', 2 * DAY],
    ['2 weeks', 14 * DAY],
  ])('cannot say %s, and refuses it by name', (_, everySeconds) => {
    expect(() => cronOf(everySeconds)).toThrow(expect.objectContaining({ name: 'NotACron' }));
  });

  test('runs a chain one to four times a day, from midnight on', () => {
    expect(([1, 2, 3, 4] as const).map((times) => timesADay(times).hour)).toEqual(['0', '0,12', '0,8,16', '0,6,12,18']);
  });
});
