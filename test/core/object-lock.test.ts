import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LOCK, lockDays } from '../../core/object-lock.ts';
import {
  drillKey,
  FORMAT_KEY,
  leaseKey,
  manifestKey,
  publicKeyKey,
  receiptKey,
  runPrefix,
  signatureKey,
  tombstoneKey,
} from '../../vault/layout.ts';

const digest = 'a'.repeat(64);
const run = { node: 'validator-1', slot: '2026-11-01T00:00:00Z', fence: 1 };
const manifest = manifestKey('validator-1', 7);

describe('an object is locked by its class', () => {
  test.each([
    FORMAT_KEY,
    publicKeyKey(digest),
    manifest,
    signatureKey(manifest, digest),
    tombstoneKey('validator-1', 7),
    receiptKey(run, 'participant', 'end'),
    drillKey('validator-1', 1),
  ])('as a record: %s', (key) => expect(lockDays(key, DEFAULT_LOCK)).toBe(DEFAULT_LOCK.recordDays));

  test.each(['participant.dump.zst.sealed', 'participant.snapshot.json'])('as an artifact: %s', (name) => {
    const key = `${runPrefix(run.node, run.slot, run.fence)}${name}`;
    expect(lockDays(key, DEFAULT_LOCK)).toBe(DEFAULT_LOCK.artifactDays);
  });

  test('and what coordinates is not', () => {
    expect(lockDays(leaseKey(run.node, run.slot, 1), DEFAULT_LOCK)).toBeUndefined();
    const heartbeat = `${runPrefix(run.node, run.slot, run.fence)}tasks/participant/00000001.json`;
    expect(lockDays(heartbeat, DEFAULT_LOCK)).toBeUndefined();
  });
});
