import { expect, test } from '@jest/globals';
import { Fence } from '../../core/names.ts';
import { Run } from '../../core/run.ts';
import { run as planWaves } from '../../lambdas/plan-waves/run.ts';
import { orderingNamed } from '../../protocols/orderings.ts';

/** Step Functions allows 256 KiB; a quarter of it leaves room for all that a later step may add. */
const LIMIT = 64 * 1024;

test('the state of the largest run that can be asked for, with the longest names, holds 64 KiB at most', async () => {
  const components = Array.from({ length: 32 }, (_, n) => ({
    component: `${n === 0 ? 'participant' : 'a-mediator-at-some-place'}`.slice(0, 21).concat(`-${n}`),
    role: n === 0 ? 'participant' : 'mediator',
  }));
  const run = Run.parse({
    ...{
      network: 'n'.repeat(40),
      node: 'v'.repeat(24),
      protocol: 'canton',
      slot: 's'.repeat(64),
      reason: 'config-change',
    },
    ...{ components, pollSeconds: 300, maxSpreadSeconds: 172_800 },
  });
  const planned = await planWaves({ run, fence: Fence.parse(99_999) }, { protocolNamed: orderingNamed });
  const state = { run, claimSlot: { run, outcome: 'taken', fence: 99_999, set: '' }, planWaves: planned };
  // Lambda's own cause of a failure, stack and all, comes beside it; 32 KiB of it is more than any has.
  const failure = { Error: 'CaptureFailed', Cause: 'x'.repeat(32 * 1024) };
  expect(JSON.stringify({ ...state, failure }).length).toBeLessThan(LIMIT);
  expect(planned.waves.flat()).toHaveLength(32);
});
