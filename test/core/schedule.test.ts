import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { calendar } from '../../core/calendar.ts';
import { schedule } from '../../core/schedule.ts';

const HOUR = 3600;

/** Every instant from `from` until before `to`, in UTC. */
function instants(every: number, zone: string, from: string, to: string): string[] {
  const { last, next } = schedule(every, zone);
  const found: string[] = [];
  for (let at = last(new Date(from)); at < new Date(to); at = next(at)) found.push(at.toISOString().slice(0, 16));
  return found;
}

describe('a schedule', () => {
  test('starts anew at midnight in the time zone', () => {
    const summer = instants(4 * HOUR, 'Europe/Zurich', '2026-06-30T22:00Z', '2026-07-01T22:00Z');
    expect(summer.map((at) => at.slice(11))).toEqual(['22:00', '02:00', '06:00', '10:00', '14:00', '18:00']);
    const winter = instants(4 * HOUR, 'Europe/Zurich', '2026-01-01T23:00Z', '2026-01-02T23:00Z');
    expect(winter.map((at) => at.slice(11))).toEqual(['23:00', '03:00', '07:00', '11:00', '15:00', '19:00']);
  });

  test('whose period does not divide the day ends with a shorter one', () => {
    const day = instants(7 * HOUR, 'UTC', '2026-06-01T00:00Z', '2026-06-02T08:00Z');
    expect(day.map((at) => at.slice(8))).toEqual([
      '01T00:00',
      '01T07:00',
      '01T14:00',
      '01T21:00',
      '02T00:00',
      '02T07:00',
    ]);
  });

  test('leaves to midnight what would come just before it', () => {
    const day = instants(23 * HOUR, 'UTC', '2026-06-01T00:00Z', '2026-06-03T00:00Z');
    expect(day.map((at) => at.slice(8))).toEqual(['01T00:00', '02T00:00']);
  });

  test('gives a day of 25 hours no second daily run, and an hourly one 25', () => {
    // In Zurich, 25 October 2026 ends an hour later.
    const daily = instants(24 * HOUR, 'Europe/Zurich', '2026-10-23T22:00Z', '2026-10-27T00:00Z');
    expect(daily).toEqual(['2026-10-23T22:00', '2026-10-24T22:00', '2026-10-25T23:00', '2026-10-26T23:00']);
    expect(instants(HOUR, 'Europe/Zurich', '2026-10-24T22:00Z', '2026-10-25T23:00Z')).toHaveLength(25);
    expect(instants(HOUR, 'Europe/Zurich', '2026-03-28T23:00Z', '2026-03-29T22:00Z')).toHaveLength(23);
  });

  test('of a week runs on Mondays, of two days on every other day', () => {
    expect(instants(168 * HOUR, 'UTC', '2026-11-21T08:00Z', '2026-12-01T00:00Z')).toEqual([
      '2026-11-16T00:00',
      '2026-11-23T00:00',
      '2026-11-30T00:00',
    ]);
    const gaps = instants(48 * HOUR, 'UTC', '2026-12-20T00:00Z', '2027-01-10T00:00Z');
    expect(new Set(gaps.map((at, n) => Date.parse(`${at}Z`) - Date.parse(`${gaps[n - 1]}Z`)).slice(1)).size).toBe(1);
  });

  test('of a day without midnight starts at its first instant', () => {
    // In Beirut, 27 March 2022 began at 01:00.
    const { last } = schedule(6 * HOUR, 'Asia/Beirut');
    expect(last(new Date('2022-03-27T01:00Z')).toISOString()).toBe('2022-03-26T22:00:00.000Z');
  });

  test('law: last and next agree, and the steps are neither long nor tiny, for all periods, zones and times', () => {
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Zurich',
      'America/New_York',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'Asia/Kathmandu',
    );
    const every = fc.integer({ min: 1, max: 21 * 24 * 60 }).map((minutes) => minutes * 60);
    const at = fc.integer({ min: Date.UTC(2012, 0), max: Date.UTC(2040, 0) });
    fc.assert(
      fc.property(zone, every, at, (timeZone, seconds, time) => {
        const { last, next } = schedule(seconds, timeZone);
        const now = new Date(time);
        const [before, after] = [last(now), next(now)];
        expect(before.getTime()).toBeLessThanOrEqual(time);
        expect(after.getTime()).toBeGreaterThan(time);
        expect(next(before)).toEqual(after);
        expect(last(after)).toEqual(after);
        expect(last(new Date(after.getTime() - 1))).toEqual(before);
        const step = (after.getTime() - before.getTime()) / 1000;
        // A day may be an hour longer or shorter than 24.
        expect(step).toBeLessThanOrEqual(Math.max(seconds * 1.25, seconds + HOUR));
        expect(step).toBeGreaterThanOrEqual(Math.min(seconds / 4, seconds - HOUR));
        expect(before.getTime() % 1000).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a calendar', () => {
  test('names days and weeks in its time zone', () => {
    const zurich = calendar('Europe/Zurich');
    expect(zurich.dayOf('2026-11-21T22:59:59.999Z')).toBe('2026-11-21');
    expect(zurich.dayOf('2026-11-21T23:00:00.000Z')).toBe('2026-11-22');
    expect(zurich.weekOf('2026-11-21T12:00:00Z')).toBe('2026-W47');
  });

  test.each([
    ['2027-01-01', '2026-W53'],
    ['2024-12-30', '2025-W01'],
    ['2023-01-01', '2022-W52'],
    ['2000-12-31', '2000-W52'],
    ['2021-01-04', '2021-W01'],
  ])('puts %s into week %s, as ISO 8601 has it', (day, week) => {
    expect(calendar('UTC').weekOf(`${day}T12:00:00Z`)).toBe(week);
  });
});
