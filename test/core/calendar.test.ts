import { describe, expect, test } from '@jest/globals';
import { calendar } from '../../core/calendar.ts';

describe('the calendar of retention', () => {
  test.each([
    ['UTC', '2026-11-21T23:30:00.000Z', '2026-11-21', '2026-W47'],
    ['Europe/Zurich', '2026-11-21T23:30:00.000Z', '2026-11-22', '2026-W47'],
    ['Europe/Zurich', '2026-11-22T23:30:00.000Z', '2026-11-23', '2026-W48'],
    ['America/Los_Angeles', '2026-11-23T07:59:00.000Z', '2026-11-22', '2026-W47'],
    // Weeks belong to the year of their Thursday.
    ['UTC', '2027-01-03T12:00:00.000Z', '2027-01-03', '2026-W53'],
    ['UTC', '2024-12-30T12:00:00.000Z', '2024-12-30', '2025-W01'],
  ])('in %s %s is of the day %s and the week %s', (zone, instant, day, week) => {
    const { dayOf, weekOf } = calendar(zone);
    expect([dayOf(instant), weekOf(instant)]).toEqual([day, week]);
  });
});
