import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { calendar } from '../../core/calendar.ts';
import { type Cron, cronOf, lastStart, timesADay } from '../../core/cron.ts';
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

describe('the newest start', () => {
  /** Every start from `from` until before `to`, by asking every half an hour, in UTC. */
  const starts = (everySeconds: number, zone: string, from: string, to: string): string[] => {
    const found = new Set<string>();
    for (let at = Date.parse(from); at < Date.parse(to); at += 30 * MINUTE) {
      const start = lastStart(everySeconds, zone, new Date(at)).toISOString();
      if (start >= new Date(from).toISOString()) found.add(start.slice(0, 16));
    }
    return [...found];
  };

  // By the wall: 0:00, 4:00, 8:00, 12:00, 16:00, 20:00 and 0:00 of the next day.
  test.each([
    // 2:00 becomes 3:00.
    ['Europe/Zurich', '2026-03-28T23:00Z', ['28T23', '29T02', '29T06', '29T10', '29T14', '29T18', '29T22']],
    // 3:00 becomes 2:00.
    ['Europe/Zurich', '2026-10-24T22:00Z', ['24T22', '25T03', '25T07', '25T11', '25T15', '25T19', '25T23']],
    ['America/New_York', '2026-03-08T05:00Z', ['08T05', '08T08', '08T12', '08T16', '08T20', '09T00', '09T04']],
    ['America/New_York', '2026-11-01T04:00Z', ['01T04', '01T09', '01T13', '01T17', '01T21', '02T01', '02T05']],
  ])('follows the clock on the wall when it changes: %s, %s', (zone, from, expected) => {
    const to = new Date(Date.parse(from) + 25.5 * 3_600_000).toISOString();
    expect(starts(4 * HOUR, zone, from, to).map((at) => at.slice(8))).toEqual(expected.map((at) => `${at}:00`));
  });

  test.each([
    ['Europe/Zurich', '2026-03-28T23:00Z', '2026-10-24T22:00Z', '2026-10-25T00:00'],
    ['America/New_York', '2026-03-08T05:00Z', '2026-11-01T04:00Z', '2026-11-01T05:00'],
  ])(
    'leaves out an hour that %s leaves out, and has the first of one that it has twice',
    (zone, spring, autumn, first) => {
      const dayFrom = (from: string, hours: number) =>
        starts(HOUR, zone, from, new Date(Date.parse(from) + hours * 3_600_000).toISOString());
      expect(dayFrom(spring, 23)).toHaveLength(23);
      const longer = dayFrom(autumn, 25);
      expect(longer).toHaveLength(24);
      const second = new Date(Date.parse(`${first}Z`) + 3_600_000).toISOString().slice(0, 16);
      expect([longer.includes(first), longer.includes(second)]).toEqual([true, false]);
    },
  );

  test('is of the day before where the clocks leave midnight out, and of the week’s Monday', () => {
    // In Beirut, 27 March 2022 began at 01:00.
    expect(lastStart(DAY, 'Asia/Beirut', new Date('2022-03-27T12:00Z')).toISOString()).toBe('2022-03-25T22:00:00.000Z');
    const week = lastStart(7 * DAY, 'Europe/Zurich', new Date('2026-11-29T22:00Z'));
    expect(week.toISOString()).toBe('2026-11-22T23:00:00.000Z');
  });

  test('law: is that of the local schedule on every day without a change, for all periods, zones and times', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
    const at = fc.integer({ min: Date.UTC(2012, 0), max: Date.UTC(2040, 0) });
    fc.assert(
      fc.property(zone, fc.constantFrom(...periods), at, (timeZone, seconds, time) => {
        const now = new Date(time);
        const days = calendar(timeZone);
        const day = days.dayNumber(now);
        fc.pre(days.startOf(day + 1).getTime() - days.startOf(day).getTime() === DAY * 1000);
        expect(lastStart(seconds, timeZone, now)).toEqual(schedule(seconds, timeZone).last(now));
      }),
      { numRuns: 300 },
    );
  });

  test('of what no cron can say is refused by name', () => {
    expect(() => lastStart(90 * 60, 'UTC', new Date())).toThrow(expect.objectContaining({ name: 'NotACron' }));
  });
});
