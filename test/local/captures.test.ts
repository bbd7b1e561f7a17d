import { describe, expect, test } from '@jest/globals';
import { ComponentName, Fence, Instant, NetworkName, NodeName, Sha256, Slot } from '../../core/names.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import type { Captured } from '../../core/receipts.ts';
import { type CaptureEvent, type LocalCapture, localCaptures } from '../../local/captures.ts';

const order: CaptureOrder = {
  network: NetworkName.parse('net'),
  node: NodeName.parse('node'),
  slot: Slot.parse('slot'),
  fence: Fence.parse(1),
  component: ComponentName.parse('db'),
  role: 'db',
  prefix: 'x/',
  protocol: 'toy',
  predecessors: [],
};
const at = Instant.parse('2026-11-01T00:00:00Z');
const sha256 = Sha256.parse('0'.repeat(64));
const artifact = { key: 'x/db', size: 1, sha256, content: 'toy', encodings: [], plain: { size: 1, sha256 } };
const captured: Captured = { startedAt: at, endedAt: at, artifacts: [artifact], versions: {}, notes: {} };

/** Captures with one capture that ends when the test says so. */
function world() {
  const job = Promise.withResolvers<Captured>();
  const events: CaptureEvent['kind'][] = [];
  const taken = { times: 0, signal: undefined as AbortSignal | undefined };
  const capture: LocalCapture = {
    source: { kind: 'toy', at: 'toy://db' },
    take: (_order, { signal, progress }) => {
      taken.times += 1;
      taken.signal = signal;
      progress({ bytes: 7 });
      signal.addEventListener('abort', () => job.reject(signal.reason as Error));
      return job.promise;
    },
  };
  const captures = localCaptures(
    () => capture,
    (_component, { kind }) => events.push(kind),
  );
  return { job, events, taken, captures };
}

describe('localCaptures', () => {
  test('starts a capture once, however often it is asked to', async () => {
    const { captures, taken, job } = world();
    const handles = [await captures.start(order), await captures.start(order)];
    expect(new Set(handles).size).toBe(1);
    expect(taken.times).toBe(1);
    expect(await captures.start({ ...order, fence: Fence.parse(2) })).not.toBe(handles[0]);
    job.resolve(captured);
  });

  test('a poll waits no longer than it may, and no longer than it must', async () => {
    const { captures, job } = world();
    const handle = await captures.start(order);
    expect(await captures.poll(handle, 0.01)).toEqual({ ended: false, progress: { bytes: 7 } });
    const poll = captures.poll(handle, 60);
    job.resolve(captured);
    expect(await poll).toMatchObject({ ended: true });
    expect(await captures.finish(handle)).toBe(captured);
    expect(await captures.finish(handle)).toBe(captured);
  });

  test('a failure comes out of poll and finish as it was thrown, and is told once', async () => {
    const { captures, job, events } = world();
    const handle = await captures.start(order);
    const failure = new Error('it broke');
    job.reject(failure);
    await expect(captures.poll(handle, 60)).rejects.toBe(failure);
    await expect(captures.finish(handle)).rejects.toBe(failure);
    expect(events).toEqual(['started', 'progress', 'failed']);
  });

  test('stop signals what runs and resolves when it has ended', async () => {
    const { captures, taken } = world();
    const handle = await captures.start(order);
    const reason = new Error('given up');
    await captures.stop(reason);
    expect(taken.signal?.aborted).toBe(true);
    await expect(captures.finish(handle)).rejects.toBe(reason);
  });

  test('a handle of another process is refused by name', async () => {
    const { captures } = world();
    await expect(captures.poll('node/slot/1/gone', 0)).rejects.toThrow('no capture node/slot/1/gone');
  });
});
