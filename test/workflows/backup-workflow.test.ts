import { describe, expect, test } from '@jest/globals';
import type { LedgerholdError } from '../../core/errors.ts';
import { PromotionOvertaken, SecretsUnavailable } from '../../core/identities-secret.ts';
import { KmsUnavailable } from '../../core/kms.ts';
import { OrderViolated } from '../../core/positions.ts';
import { RdsUnavailable, SourceUnusable } from '../../core/rds.ts';
import { CaptureFailed, PredecessorNotEnded } from '../../core/receipts.ts';
import { Run, Ticket } from '../../core/run.ts';
import { StaleFence } from '../../core/slot.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { CyclicOrder } from '../../core/waves.ts';
import { claimSlot } from '../../lambdas/claim-slot/contract.ts';
import { failRun } from '../../lambdas/fail-run/contract.ts';
import { finishCapture } from '../../lambdas/finish-capture/contract.ts';
import { planWaves } from '../../lambdas/plan-waves/contract.ts';
import { pollCapture } from '../../lambdas/poll-capture/contract.ts';
import { preflight } from '../../lambdas/preflight/contract.ts';
import { promoteIdentities } from '../../lambdas/promote-identities/contract.ts';
import { sealManifest } from '../../lambdas/seal-manifest/contract.ts';
import { startCapture } from '../../lambdas/start-capture/contract.ts';
import { type LocalStep, local, runtime } from '../../local/runtime.ts';
import { emitted } from '../support/workflows.ts';

const components = ['identities', 'app', 'wallet', 'participant'];
const input = Run.parse({
  ...{ network: 'acme', node: 'validator-1', protocol: 'splice', slot: '2026-01-01T00:00:00Z', reason: 'manual' },
  components: components.map((component) => ({ component, role: component })),
  ...{ pollSeconds: 0, maxSpreadSeconds: 3600 },
});
const ticket = (component: string) => {
  const { network, node, protocol, slot, pollSeconds } = input;
  const fence = 1;
  return Ticket.parse({
    network,
    node,
    protocol,
    slot,
    pollSeconds,
    fence,
    component,
    role: component,
  });
};
const WAVES = [['identities'], ['app', 'wallet'], ['participant']];
const DIGEST = 'a'.repeat(64);

type Name = 'claim' | 'room' | 'plan' | 'start' | 'poll' | 'finish' | 'seal' | 'promote' | 'fail';

/** The real definition with steps that write down their calls, and do what `fault` says before they answer. */
function backup(fault: (call: string, times: number) => void = () => {}, outcome = 'taken', polls = 1) {
  const calls: string[] = [];
  const failures: unknown[] = [];
  const called = <T>(name: Name, about: string, answer: T): T => {
    const call = about === '' ? name : `${name} ${about}`;
    calls.push(call);
    fault(call, calls.filter((each) => each === call).length);
    return answer;
  };
  const polled = (component: string) => calls.filter((call) => call === `poll ${component}`).length + 1;
  const steps = {
    claimSlot: local(claimSlot, async ({ holder }) =>
      called('claim', holder, { run: input, outcome, fence: 1, set: '' } as never),
    ),
    preflight: local(preflight, async () => called('room', '', { snapshots: 3 })),
    planWaves: local(planWaves, async () => called('plan', '', { waves: WAVES.map((wave) => wave.map(ticket)) })),
    startCapture: local(startCapture, async ({ ticket: { component } }) =>
      called('start', component, { handle: `h-${component}` }),
    ),
    pollCapture: local(pollCapture, async ({ ticket: { component } }) =>
      called('poll', component, { waitSeconds: 0, ended: polled(component) >= polls }),
    ),
    finishCapture: local(finishCapture, async ({ ticket: { component }, handle }) => {
      expect(handle).toBe(`h-${component}`);
      return called('finish', component, { component, end: DIGEST } as never);
    }),
    sealManifest: local(sealManifest, async () =>
      called('seal', '', { set: 'validator-1/1', seq: 1, manifest: DIGEST, verdict: 'proven' } as never),
    ),
    promoteIdentities: local(promoteIdentities, async ({ node, seq, manifest }) => {
      expect([node, seq, manifest]).toEqual([input.node, 1, DIGEST]);
      return called('promote', '', { promoted: [] });
    }),
    failRun: local(failRun, async ({ failure }) => {
      failures.push(failure);
      return called('fail', '', { error: failure.Error, message: failure.Cause ?? '' });
    }),
  } satisfies Record<string, LocalStep>;
  const run = () => runtime({ definition: emitted('backup'), steps }).run({ run: input }, { executionId: 'exec-1' });
  return { calls, failures, run };
}

/** Throws `error` at a call's first `times` times. */
const failing =
  (at: string, error: Error, times = Number.POSITIVE_INFINITY) =>
  (call: string, time: number) => {
    if (call === at && time <= times) throw error;
  };

describe('a backup', () => {
  test('claims, plans, captures wave after wave, seals, and ends with what was sealed', async () => {
    const { calls, run } = backup();
    const state = await run();
    expect(state).toMatchObject({ run: input, sealManifest: { set: 'validator-1/1', verdict: 'proven' } });
    expect(calls.slice(0, 3)).toEqual(['claim exec-1', 'room', 'plan']);
    expect(calls.slice(-2)).toEqual(['seal', 'promote']);
    for (const component of components) {
      const own = calls.filter((call) => call.endsWith(` ${component}`));
      expect(own).toEqual([`start ${component}`, `poll ${component}`, `finish ${component}`]);
    }
  });

  test('ends every capture of a wave before any of the next starts', async () => {
    const { calls, run } = backup(undefined, 'taken', 3);
    await run();
    for (const [index, wave] of WAVES.slice(1).entries()) {
      const ended = (WAVES[index] ?? []).map((component) => calls.indexOf(`finish ${component}`));
      const started = wave.map((component) => calls.indexOf(`start ${component}`));
      expect(Math.max(...ended)).toBeLessThan(Math.min(...started));
    }
    // Those of one wave go side by side.
    expect(calls.indexOf('start wallet')).toBeLessThan(calls.indexOf('finish app'));
  });

  test('polls until a capture has ended', async () => {
    const { calls, run } = backup(undefined, 'taken', 5);
    await run();
    expect(calls.filter((call) => call === 'poll participant')).toHaveLength(5);
  });

  test.each(['sealed', 'running'])('does nothing more at a slot that is %s', async (outcome) => {
    const { calls, run } = backup(undefined, outcome);
    expect(await run()).toEqual({ run: input, claimSlot: { run: input, outcome, fence: 1, set: '' } });
    expect(calls).toEqual(['claim exec-1']);
  });
});

describe('a vault that is away for a moment', () => {
  const away = () => new VaultUnavailable('it does not answer', 'Wait.');
  test.each(['claim exec-1', 'start app', 'poll app', 'finish app', 'seal', 'promote'])(
    'is asked again by %s',
    async (at) => {
      const { calls, run } = backup(failing(at, away(), 1));
      await run();
      expect(calls.filter((call) => call === at)).toHaveLength(2);
      expect(calls.at(-1)).toBe('promote');
    },
  );
});

describe('a service that is throttled', () => {
  const secrets = new SecretsUnavailable('a secret', 'ThrottlingException');
  const kms = new KmsUnavailable('a key', 'ThrottlingException');
  const rds = new RdsUnavailable('a database', 'Throttling');
  test.each([
    ['room', rds],
    ['room', kms],
    ['start identities', secrets],
    ['promote', secrets],
    ['start identities', kms],
    ['seal', kms],
  ])(
    'is asked again by %s: %s',
    async (at, error) => {
      const { calls, run } = backup(failing(at, error, 1));
      await run();
      expect(calls.filter((call) => call === at)).toHaveLength(2);
    },
    15_000,
  );
});

describe('a failure', () => {
  const faults: [string, LedgerholdError][] = [
    ['room', new SourceUnusable('app is a read replica', 'Name the primary.')],
    ['plan', new CyclicOrder(['app', 'app'])],
    ['start participant', new PredecessorNotEnded('app has not ended', 'Run again.')],
    ['poll app', new CaptureFailed('pg_dump died', 'Look.')],
    ['finish identities', new StaleFence('taken over', 'Nothing to do.')],
    ['seal', new OrderViolated('the order is broken', 'Run again.')],
    ['promote', new PromotionOvertaken('a secret', 'a version')],
  ];

  test.each(faults)('of %s is told once, and ends the run as itself', async (at, error) => {
    const { calls, failures, run } = backup(failing(at, error));
    await expect(run()).rejects.toBe(error);
    expect(calls.filter((call) => call === at)).toHaveLength(1);
    expect(failures).toEqual([{ Error: error.name, Cause: expect.stringContaining(error.message) }]);
    expect(calls.at(-1)).toBe('fail');
    expect(calls.includes('seal')).toBe(at === 'seal' || at === 'promote');
    expect(calls.includes('promote')).toBe(at === 'promote');
  });

  test('in one wave lets no later wave start', async () => {
    const { calls, run } = backup(failing('poll app', new CaptureFailed('pg_dump died', 'Look.')));
    await expect(run()).rejects.toThrow('pg_dump died');
    expect(calls).not.toContain('start participant');
  });

  test('of the claim ends the run at once: there is no lease to end', async () => {
    const error = new StaleFence('gone', 'Nothing.');
    const { calls, run } = backup(failing('claim exec-1', error));
    await expect(run()).rejects.toBe(error);
    expect(calls).toEqual(['claim exec-1']);
  });

  test('that cannot be told is still what the run ends with', async () => {
    const error = new CaptureFailed('pg_dump died', 'Look.');
    const { calls, run } = backup((call) => {
      if (call === 'poll app') throw error;
      if (call === 'fail') throw new StaleFence('gone', 'Nothing.');
    });
    await expect(run()).rejects.toBe(error);
    expect(calls.at(-1)).toBe('fail');
  });
});
