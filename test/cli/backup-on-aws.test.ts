import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { executionsOf, executionsOfAll } from '../../cli/deployment.ts';
import { errorPage } from '../../cli/error-pages.ts';
import type { EndingSignal } from '../../cli/exit-codes.ts';
import { Config } from '../../config/schema.ts';
import { Run } from '../../core/run.ts';
import type { FakeExecution } from '../fakes/step-functions.ts';
import { runCli } from '../support/cli.ts';
import { DEPLOYMENT, stepsFor, worldOnAws } from '../support/on-aws.ts';

// Each follows real calls to a server on loopback, with pauses between them.
jest.setTimeout(30_000);

let on: Awaited<ReturnType<typeof worldOnAws>>;
beforeEach(async () => {
  on = await worldOnAws();
});
afterEach(() => on[Symbol.asyncDispose]());

const cli = (args: readonly string[], onStart?: (send: (signal: EndingSignal) => void) => void) =>
  runCli([...args, '--json'], { cwd: on.cwd, ...(onStart && { onStart }) });

/** A run as the deployed steps would make it. */
async function play(execution: FakeExecution): Promise<void> {
  const steps = stepsFor(on.world, execution);
  execution.enter('Claim the slot');
  const claimSlot = await steps.claim(execution.arn);
  if (claimSlot.outcome !== 'taken') return execution.succeed({ claimSlot });
  for (const component of ['app', 'ledger']) execution.enter('Start the capture', { ticket: { component } });
  await steps.capture(claimSlot.fence);
  execution.enter('Seal the set');
  execution.succeed({ claimSlot, sealManifest: await steps.seal(claimSlot.fence) });
}

describe('backup of a node that is deployed', () => {
  test('starts an execution, tells its states, and ends with the set as the local verb does', async () => {
    on.fake.onStart = play;
    const { exit, json, stderr } = await cli(['backup', '--slot', 'before-upgrade', '--reason', 'pre-upgrade']);
    expect(json()).toMatchObject({
      ...{ ok: true, code: 'SEALED', outcome: 'sealed', set: 'toy-1/1', slot: 'before-upgrade', reason: 'pre-upgrade' },
      execution: expect.stringMatching(/:execution:ledgerhold-toy-net_Backup:toy-1-before-upgrade-/),
    });
    expect(exit).toBe(0);
    for (const line of ['Claim the slot', 'app: Start the capture', 'Seal the set']) expect(stderr).toContain(line);
    const [started] = on.fake.executions.values();
    const { run } = JSON.parse(started?.input ?? '');
    expect(Run.parse(run)).toMatchObject({
      ...{ network: 'toy-net', node: 'toy-1', protocol: 'canton', reason: 'pre-upgrade', pollSeconds: 30 },
      components: [{ component: 'app', role: 'participant' }],
    });
  });

  test('at a sealed slot says so, and at one that is running ends with 4', async () => {
    on.fake.onStart = play;
    await cli(['backup', '--slot', 'a']);
    expect((await cli(['backup', '--slot', 'a'])).json()).toMatchObject({ code: 'ALREADY_SEALED', set: 'toy-1/1' });
    on.fake.onStart = async (execution) => {
      await stepsFor(on.world, execution).claim('somebody else');
      await play(execution);
    };
    const running = await cli(['backup', '--slot', 'b']);
    expect([running.exit, running.json()['code']]).toEqual([4, 'SLOT_RUNNING']);
  });

  test.each([
    ['OrderViolated', 1],
    ['KmsKeyUnusable', 2],
    ['VaultUnavailable', 4],
    ['StaleFence', 5],
    ['Lambda.Unknown', 4],
  ])('that failed there as %s ends with %i, its words and its remedy', async (name, exit) => {
    on.fake.onStart = (execution) => execution.fail(name, '{"errorType":"x","errorMessage":"what went wrong"}');
    const failed = await cli(['backup']);
    expect(failed.exit).toBe(exit);
    expect(failed.json()).toMatchObject({ ok: false, error: { name, message: 'what went wrong' } });
    expect((failed.json()['error'] as { remedy: string }).remedy).not.toBe('');
  });

  test('that was ended from outside ends with 4', async () => {
    on.fake.onStart = (execution) => execution.end('ABORTED');
    const { exit, json } = await cli(['backup']);
    expect([exit, json()['code']]).toEqual([4, 'EXECUTION_ABORTED']);
  });

  test('leaves the run going on Ctrl-C, and says so', async () => {
    let interrupt: (signal: EndingSignal) => void = () => {};
    on.fake.onStart = () => setTimeout(() => interrupt('SIGINT'), 300);
    const { exit, json } = await cli(['backup'], (send) => {
      interrupt = send;
    });
    expect(exit).toBe(130);
    expect(json()).toMatchObject({ error: { remedy: expect.stringContaining('The run goes on') } });
    const [started] = on.fake.executions.values();
    expect(started?.status).toBe('RUNNING');
    expect(on.fake.log).not.toContain('StopExecution');
  });

  test('refuses before any call what is no slot', async () => {
    expect((await cli(['backup', '--slot', 'no slot'])).exit).toBe(2);
    expect(on.fake.log).toEqual([]);
  });
});

test('a node of a further group has a state machine of its own, and any of them is asked what runs', async () => {
  const place = (id: string) => ({ id: `vpc-${id}`, subnets: [`subnet-${id}`], securityGroups: [`sg-${id}`] });
  const node = (name: string, id: string) => ({
    ...{ name, protocol: 'canton', components: { participant: { rds: 'p' } }, vpc: place(id) },
  });
  const config = Config.parse({
    ...{ network: 'toy-net', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' }, aws: DEPLOYMENT },
    nodes: [node('here', '0a1b2c3d'), node('there', '1a1b2c3d')],
  });
  const started = async (name: string) => {
    const executions = await executionsOf(config, name);
    return executions.start(`x-${name}`, {}).then(
      (id) => id,
      (error: Error) => error.message,
    );
  };
  expect(await started('here')).toContain(':execution:ledgerhold-toy-net_Backup:x-here');
  // The fake knows the first machine alone, and says so of the other.
  expect(await started('there')).toContain('ledgerhold-toy-net_Group2_Backup');
  expect(await executionsOfAll(config, ['here', 'there'])).toHaveLength(2);
  expect(await executionsOfAll(config, ['there'])).toHaveLength(1);
});

describe('status of a node that is deployed', () => {
  const statusOf = async () => {
    const { exit, json } = await cli(['status']);
    expect(exit).toBe(0);
    return (json()['nodes'] as Record<string, unknown>[])[0];
  };
  const started = async (act: (execution: FakeExecution) => unknown) => {
    const ready = Promise.withResolvers<void>();
    on.fake.onStart = async (execution) => {
      await act(execution);
      ready.resolve();
    };
    let interrupt: (signal: EndingSignal) => void = () => {};
    const backup = cli(['backup', '--slot', 's1'], (send) => {
      interrupt = send;
    });
    await ready.promise;
    interrupt('SIGINT');
    await backup;
  };

  test('says what runs, since when and where it is; and nothing when it has ended', async () => {
    expect(await statusOf()).toMatchObject({ inProgress: null });
    await started(async (execution) => {
      await stepsFor(on.world, execution).claim(execution.arn);
      execution.enter('Poll the capture', { ticket: { component: 'app' } });
    });
    expect(await statusOf()).toMatchObject({
      inProgress: { run: 's1', since: expect.stringMatching(/^20..-.*Z$/), step: 'app: Poll the capture' },
    });
    const [execution] = on.fake.executions.values();
    execution?.fail('CaptureFailed', '');
    expect(await statusOf()).toMatchObject({ inProgress: null });
  });

  test('tells an execution that died while its lease lives as failed, and not as running', async () => {
    await started(async (execution) => {
      await stepsFor(on.world, execution).claim(execution.arn);
      execution.end('ABORTED');
    });
    expect(await statusOf()).toMatchObject({
      ...{ inProgress: null, running: [] },
      failed: { slot: 's1', error: { name: 'ExecutionGone', message: expect.stringContaining('takes the slot over') } },
    });
  });

  test('goes by the vault alone where Step Functions cannot be asked, and says so', async () => {
    await started(async (execution) => {
      await stepsFor(on.world, execution).claim(execution.arn);
    });
    on.fake.plan('ListExecutions', { status: 400, type: 'AccessDeniedException' });
    expect(await statusOf()).toMatchObject({
      ...{ inProgress: { run: 's1', step: 'claimed' }, running: [{ slot: 's1' }] },
      unasked: expect.stringContaining('AccessDeniedException'),
    });
  });
});

test('the page of errors gives kind and remedy by name', async () => {
  expect(await errorPage('StaleSet')).toEqual({ kind: 'violation', remedy: expect.stringMatching(/^[A-Z].*\.$/) });
  expect(await errorPage('SomethingElse')).toEqual({ kind: 'external' });
});
