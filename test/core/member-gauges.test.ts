import { describe, expect, test } from '@jest/globals';
import { furthestBehind, type MeasuredMember, MOST_MEASURED } from '../../core/member-gauges.ts';

const now = new Date('2026-11-01T12:00:00Z');
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
const member = (id: string, minutes: number | undefined, more: Partial<MeasuredMember> = {}): MeasuredMember => ({
  ...{ member: id, environmentBackupTarget: true, totals: { files: 1, bytes: 2 }, progress: 0.5 },
  chains: [
    { behindSince: null, blocks: 0 },
    { behindSince: minutes === undefined ? null : ago(minutes), blocks: 7 },
  ],
  ...more,
});
const named = (...members: MeasuredMember[]) => furthestBehind(members, now).map((each) => each.member);

describe('members that are measured by name', () => {
  test('are backup targets that have been behind for more than an hour, the furthest behind first', () => {
    const off = member('off', 900, { environmentBackupTarget: false });
    expect(
      named(member('whole', undefined), member('late', 61), member('served', 60), off, member('worst', 90)),
    ).toEqual(['worst', 'late']);
  });

  test('are told with what they lack and what they have', () => {
    expect(furthestBehind([member('late', 90)], now)).toEqual([
      { member: 'late', lagSeconds: 5400, lagBlocks: 7, files: 1, bytes: 2, percent: 50 },
    ]);
  });

  test('are only so many, whoever else lags: each costs', () => {
    const all = Array.from({ length: 10_000 }, (_, n) => member(`m-${n}`, 100 + n));
    const found = named(...all);
    expect([found.length, found[0]]).toEqual([MOST_MEASURED, 'm-9999']);
  });
});
