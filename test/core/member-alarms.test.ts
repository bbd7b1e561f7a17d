import { describe, expect, test } from '@jest/globals';
import { memberAlarms, type WatchedMember } from '../../core/member-alarms.ts';

const at = (hour: number) => `2026-11-01T${String(hour).padStart(2, '0')}:00:00.000Z`;
const member = (more: Partial<WatchedMember> = {}): WatchedMember => ({
  ...{ state: 'active', fault: null, environmentBackupTarget: true, targetSince: at(2) },
  ...{ lastReceiptAt: at(4), behindSince: [null], ...more },
});
const raised = (more: Partial<WatchedMember>, hour: number) =>
  Object.entries(memberAlarms(member(more), new Date(at(hour)))).flatMap(([name, what]) =>
    what === undefined ? [] : [name],
  );
const fault = (name: string) => ({ name, message: 'm', remedy: 'r' });

describe('the alarms of a member', () => {
  test('are none while it has all of the history, however long ago anything was delivered', () => {
    expect(raised({}, 23)).toEqual([]);
  });

  test('tell that it lags once what it lacks is older than six hours', () => {
    expect(raised({ behindSince: [null, at(5)] }, 11)).toEqual([]);
    expect(raised({ behindSince: [null, at(5)] }, 12)).toEqual(['MEMBER_LAGS']);
    expect(raised({ state: 'degraded', fault: fault('MemberUnavailable'), behindSince: [at(5)] }, 12)).toEqual([
      'MEMBER_LAGS',
    ]);
  });

  test('tell that a backfill stalls when two hours bring nothing, and not while it goes on', () => {
    const behindSince = [at(0)];
    expect(raised({ behindSince, lastReceiptAt: null }, 4)).toEqual([]);
    expect(raised({ behindSince, lastReceiptAt: null }, 5)).toEqual(['BACKFILL_STALLED']);
    expect(raised({ behindSince, lastReceiptAt: at(21) }, 23)).toEqual([]);
    // A receipt of an earlier time as a target says nothing.
    expect(raised({ behindSince, lastReceiptAt: at(1) }, 5)).toEqual(['BACKFILL_STALLED']);
  });

  test('tell a suspension that nobody has wished for, and then nothing else', () => {
    expect(raised({ state: 'suspended', fault: fault('TAMPERED'), behindSince: [at(5)] }, 23)).toEqual([
      'MEMBER_SUSPENDED',
    ]);
    expect(raised({ state: 'suspended', fault: fault('SUSPENDED'), behindSince: [at(5)] }, 23)).toEqual([]);
  });

  test('are none of a member that is no target', () => {
    expect(raised({ environmentBackupTarget: false, targetSince: null, behindSince: [at(0)] }, 23)).toEqual([]);
  });
});
