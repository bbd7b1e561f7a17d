import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { paced } from '../../vault/pace.ts';
import { cut } from '../support/bytes.ts';

/** A clock that moves only while somebody waits, or when told. */
function fakeTimer() {
  let now = 0;
  const wait = async (milliseconds: number) => {
    now += milliseconds;
  };
  return { now: () => now, wait, pass: (milliseconds: number) => (now += milliseconds) };
}

describe('a paced stream', () => {
  test('never gets ahead of its rate by more than a quarter of a second, however its bytes are cut', async () => {
    const law = async (size: number, rate: number) => {
      const timer = fakeTimer();
      let sent = 0;
      for await (const bytes of paced(cut(Buffer.alloc(20_000), size), rate, undefined, timer)) {
        sent += bytes.length;
        expect(sent).toBeLessThanOrEqual(rate * 0.25 + (timer.now() / 1000) * rate + 1e-6);
      }
      expect(timer.now()).toBeLessThanOrEqual((20_000 / rate) * 1000 + 1);
    };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 50, max: 30_000 }), fc.integer({ min: 100, max: 1_000_000 }), law),
    );
  });

  test('does not make up for a pause of its source by a burst', async () => {
    const timer = fakeTimer();
    const source = async function* () {
      yield Buffer.alloc(100);
      timer.pass(60_000);
      for (let piece = 0; piece < 100; piece += 1) yield Buffer.alloc(100);
    };
    for await (const _ of paced(source(), 1000, undefined, timer));
    expect(timer.now()).toBeCloseTo(60_000 + (10_000 / 1000 - 0.25) * 1000, 0);
  });

  test('ends its wait when it is given up', async () => {
    const abort = new AbortController();
    const reading = (async () => {
      for await (const _ of paced(cut(Buffer.alloc(10), 5), 0.001, abort.signal));
    })();
    abort.abort();
    await expect(reading).rejects.toThrow('aborted');
  });
});
