import { describe, expect, test } from '@jest/globals';
import { AskedRun, asRun } from '../../core/run.ts';

const asked = (slot: string, reason = 'schedule') =>
  AskedRun.parse({
    ...{ network: 'acme', node: 'validator-1', protocol: 'canton', slot, reason },
    ...{ components: [{ component: 'participant', role: 'participant' }], pollSeconds: 30, maxSpreadSeconds: 3600 },
  });
const slotOf = (slot: string, reason?: string) => asRun(asked(slot, reason)).slot;

describe('the slot of a run', () => {
  test.each(['2026-11-21T08:00:00Z', '2026-11-21T08:00:00.000Z', '2026-11-21T09:00:00+01:00', '2026-11-21T08:00Z'])(
    'that a schedule writes as %s is the one that this machine would name',
    (time) => expect(slotOf(time)).toBe('2026-11-21T08:00:00Z'),
  );

  test.each([
    '<aws.scheduler.scheduled-time>',
    'manual-1',
    '2026-13-41T08:00:00Z',
    '2026-11-21',
    '2026-11-21T08:00:00',
  ])('is refused by name when a schedule says %s', (slot) =>
    expect(() => slotOf(slot)).toThrow(
      expect.objectContaining({ name: 'NotASlot', message: expect.stringContaining(slot) }),
    ),
  );

  test('may be an id when a person asks, but not one that a key cannot hold', () => {
    expect(slotOf('before-the-upgrade', 'pre-upgrade')).toBe('before-the-upgrade');
    expect(() => slotOf('a/b', 'manual')).toThrow(expect.objectContaining({ name: 'NotASlot' }));
  });
});
