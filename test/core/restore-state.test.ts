import { describe, expect, test } from '@jest/globals';
import { markIn, type RestoreMark, targetState } from '../../core/restore-state.ts';

const names = { database: 'db', beside: 'db_n-1', keptAs: 'db_before_n-1' };
const mine = { manifest: 'a'.repeat(64), artifact: 'b'.repeat(64) };
const mark = (state: RestoreMark['state'], other: object = {}) =>
  JSON.stringify({
    ...{ format: 'ledgerhold/restore-mark/1', set: 'n/1', ...mine, state },
    ...{ at: '2026-11-21T08:00:00.000Z', fencedBy: 'ops', ...other },
  });

describe('how far a restore has got', () => {
  test.each([
    ['nothing is there', {}, { next: 'restore', beside: 'free' }],
    ['only the old one is there', { db: 'ours since 2020' }, { next: 'restore', beside: 'free' }],
    ['it was made, and not yet marked', { 'db_n-1': null }, { next: 'restore', beside: 'unmarked' }],
    ['a part lies beside', { db: null, 'db_n-1': mark('restoring') }, { next: 'restore', beside: 'leftover' }],
    ['a whole one lies beside the old one', { db: null, 'db_n-1': mark('checked') }, { next: 'switch', old: true }],
    ['a whole one lies there, and no old one', { 'db_n-1': mark('checked') }, { next: 'switch', old: false }],
    ['it is in place', { db: mark('in-place'), 'db_before_n-1': null }, { next: 'nothing', old: true }],
    ['it is in place of nothing', { db: mark('in-place') }, { next: 'nothing', old: false }],
    [
      'another restore is in place',
      { db: mark('in-place', { manifest: 'c'.repeat(64) }) },
      { next: 'restore', beside: 'free' },
    ],
    ['somebody else has the name beside', { 'db_n-1': 'my notes' }, { next: 'stop', taken: 'db_n-1' }],
    ['another set has the name beside', { 'db_n-1': mark('checked', { manifest: 'c'.repeat(64) }) }, { next: 'stop' }],
    [
      'what was in place was moved aside',
      { db: null, 'db_n-1': mark('in-place') },
      { next: 'stop', why: 'it has been in place, and a node may have written to it' },
    ],
    ['an old one was kept before', { db: null, 'db_before_n-1': null }, { next: 'stop', taken: 'db_before_n-1' }],
  ])('is told when %s', (_, comments: Record<string, string | null>, state) => {
    expect(targetState(names, mine, new Map(Object.entries(comments)))).toMatchObject(state);
  });

  test('is not told by comments that only look like marks', () => {
    for (const comment of ['{', '{}', mark('checked', { at: 'yesterday' }), null])
      expect(markIn(comment)).toBeUndefined();
  });
});
