import { describe, expect, test } from '@jest/globals';
import { openExecutions } from '../../aws/executions.ts';
import { backupMachineName } from '../../core/deployed-names.ts';
import { type Executions, executionName, isExecution } from '../../core/executions.ts';
import { Fence } from '../../core/names.ts';
import { run as planWaves } from '../../lambdas/plan-waves/run.ts';
import { run as startCapture } from '../../lambdas/start-capture/run.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { type FakeStepFunctions, fakeStepFunctions } from '../fakes/step-functions.ts';
import { DEPLOYMENT, MACHINE, stepsFor } from '../support/on-aws.ts';
import { failureOf, said } from '../support/said.ts';
import { backupToy, newKeys, toyRun } from '../support/toy-sets.ts';

async function opened(): Promise<FakeStepFunctions & { readonly executions: never } & { readonly ours: Executions }> {
  const fake = await fakeStepFunctions(MACHINE);
  const ours = openExecutions(DEPLOYMENT, backupMachineName('toy-net'), {
    ...{ maxAttempts: 3, endpoint: fake.endpoint, credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } },
  });
  return Object.assign(fake, { ours }) as never;
}
const byName = (fake: { readonly executions: unknown }, id: string) => {
  const found = (fake.executions as FakeStepFunctions['executions']).get(id);
  if (found === undefined) throw new Error(`no execution ${id}`);
  return found;
};

test('an execution is named by its node, slot and moment, in what Step Functions allows', () => {
  const now = new Date('2026-11-21T10:00:00.500Z');
  const name = executionName('validator-1', '2026-11-21T09:00:00Z', now);
  expect(name).toMatch(/^validator-1-2026-11-21T090000Z-[0-9a-z]+$/);
  expect(executionName('validator-1', '2026-11-21T09:00:00Z', new Date(now.getTime() + 1))).not.toBe(name);
  const longest = executionName('n'.repeat(24), `s${'+'.repeat(20)}${'.'.repeat(43)}`, now);
  expect(longest).toMatch(/^[\w.-]{1,80}$/);
});

test('a holder is told to be an execution by its ARN alone', () => {
  expect(isExecution('arn:aws:states:eu-central-1:111111111111:execution:ledgerhold-a_Backup:x')).toBe(true);
  expect(isExecution('arn:aws-us-gov:states:us-gov-west-1:111111111111:execution:m:x')).toBe(true);
  expect(isExecution('host/boot/pid:[4026531836]/7/123/nonce')).toBe(false);
});

describe('executions', () => {
  test('are started once, though the answer is lost', async () => {
    await using fake = await opened();
    fake.plan('StartExecution', 'drop after');
    const id = await fake.ours.start('n-1', { run: 1 });
    expect(id).toBe(`${MACHINE.replace('stateMachine', 'execution')}:n-1`);
    expect(fake.log).toEqual(['StartExecution', 'StartExecution']);
    expect(await fake.ours.describe(id)).toMatchObject({ id, status: 'running', input: { run: 1 } });
  });

  test('have names that are taken once they have ended', async () => {
    await using fake = await opened();
    const id = await fake.ours.start('n-1', { run: 1 });
    expect(await fake.ours.start('n-1', { run: 1 })).toBe(id);
    byName(fake, id).succeed({});
    expect(await failureOf(fake.ours.start('n-1', { run: 1 }))).toMatchObject({ name: 'ExecutionNameTaken' });
  });

  test('are described as they ended, and one that is not there is absent', async () => {
    await using fake = await opened();
    const [good, bad, aborted] = [
      ...[await fake.ours.start('a', {}), await fake.ours.start('b', {}), await fake.ours.start('c', {})],
    ];
    byName(fake, String(good)).succeed({ done: true });
    byName(fake, String(bad)).fail('OrderViolated', '{"errorMessage":"reversed"}');
    byName(fake, String(aborted)).end('ABORTED');
    expect(await fake.ours.describe(String(good))).toMatchObject({ status: 'succeeded', output: { done: true } });
    expect(await fake.ours.describe(String(bad))).toMatchObject({
      ...{ status: 'failed', error: { name: 'OrderViolated', cause: '{"errorMessage":"reversed"}' } },
    });
    expect(await fake.ours.describe(String(aborted))).toMatchObject({ status: 'aborted' });
    expect(await fake.ours.describe(`${String(good)}x`)).toBeUndefined();
  });

  test('of a status that nobody knows are in doubt, not running', async () => {
    await using fake = await opened();
    const id = await fake.ours.start('a', {});
    byName(fake, id).end('SOMETHING_NEW');
    expect(await failureOf(fake.ours.describe(id))).toMatchObject({
      ...{ name: 'StepFunctionsUnavailable', message: expect.stringContaining('SOMETHING_NEW') },
    });
  });

  test('that run are listed, page after page, and no others', async () => {
    await using fake = await opened();
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) ids.push(await fake.ours.start(name, {}));
    byName(fake, String(ids[2])).end('ABORTED');
    expect([...(await fake.ours.running())].sort()).toEqual(ids.filter((_, index) => index !== 2));
  });

  test('tell the states they have entered since, oldest first, with the component that a capture is of', async () => {
    await using fake = await opened();
    const id = await fake.ours.start('a', {});
    const execution = byName(fake, id);
    execution.enter('Claim the slot');
    for (let n = 0; n < 250; n++) execution.enter('Poll the capture', { ticket: { component: 'app' } });
    execution.enter('Seal the set');
    const all = await fake.ours.entered(id, 0, 1000);
    expect(all.map(({ event }) => event)).toEqual(Array.from({ length: 252 }, (_, n) => n + 2));
    expect(all[1]).toMatchObject({ state: 'Poll the capture', component: 'app' });
    expect(await fake.ours.entered(id, 0, 1)).toMatchObject([{ state: 'Seal the set', component: undefined }]);
    expect(await fake.ours.entered(id, 252, 1000)).toHaveLength(1);
    expect(await fake.ours.entered(id, 253, 1000)).toEqual([]);
  });

  test.each([
    ['StateMachineDoesNotExist', 400, 'NotDeployed', 'usage'],
    ['AccessDeniedException', 400, 'StepFunctionsRefused', 'usage'],
    ['ExpiredTokenException', 400, 'StepFunctionsRefused', 'usage'],
    ['ThrottlingException', 400, 'StepFunctionsUnavailable', 'external'],
    ['InternalFailure', 500, 'StepFunctionsUnavailable', 'external'],
  ])(
    '%s is a named error with what to do',
    async (type, status, name, kind) => {
      await using fake = await opened();
      fake.plan('StartExecution', { status, type }, 5);
      const error = await failureOf(fake.ours.start('a', {}));
      expect(error).toMatchObject({ name, kind, message: expect.stringContaining(MACHINE) });
      expect(said(error)).not.toContain('secret');
    },
    30_000,
  );

  test('that are throttled for a moment are asked again', async () => {
    await using fake = await opened();
    fake.plan('DescribeExecution', { status: 400, type: 'ThrottlingException' }, 2);
    expect(await fake.ours.describe(await fake.ours.start('a', {}))).toMatchObject({ status: 'running' });
  });
});

describe('a redrive', () => {
  test('of a run whose slot was taken over stops at its next effect, and nothing of it is ever cited', async () => {
    await using fake = await opened();
    const world = { vault: new MemoryVault(), keys: newKeys(), now: () => new Date('2026-11-01T00:00:00Z') };
    const slot = '2026-11-01T00:00:00Z';
    // The first attempt claims, and is ended from outside before it starts a capture.
    fake.onStart = async (execution) => {
      await stepsFor(world, execution).claim(execution.arn);
      execution.end('ABORTED');
    };
    // A redrive goes on behind what was done: at the first capture, with the fence that was claimed.
    fake.onRedrive = async (execution) => {
      const run = toyRun(slot);
      const { waves } = await planWaves(
        { run, fence: Fence.parse(1) },
        { protocolNamed: () => stepsFor(world, execution).ports.protocolNamed() },
      );
      const [ticket] = waves.flat();
      if (ticket === undefined) throw new Error('no ticket');
      await startCapture({ ticket, components: run.components }, stepsFor(world, execution).ports).then(
        () => execution.succeed({}),
        ({ name, message }: Error) => execution.fail(name, JSON.stringify({ errorMessage: message })),
      );
    };
    const id = await fake.ours.start('first', { run: toyRun(slot) });
    await untilEnded(fake.ours, id);
    const later = { ...world, now: () => new Date('2026-11-01T01:00:00Z') };
    await backupToy(later, slot);
    const before = new Map(world.vault.objects);
    await fake.ours.redrive(id);
    expect(await untilEnded(fake.ours, id)).toMatchObject({ status: 'failed', error: { name: 'StaleFence' } });
    expect(world.vault.objects).toEqual(before);
  });

  test('of one that did not fail is refused', async () => {
    await using fake = await opened();
    const id = await fake.ours.start('a', {});
    expect(await failureOf(fake.ours.redrive(id))).toMatchObject({
      ...{ name: 'StepFunctionsRefused', message: expect.stringContaining('ExecutionNotRedrivable') },
    });
  });
});

async function untilEnded(executions: Executions, id: string) {
  for (;;) {
    const found = await executions.describe(id);
    if (found?.status !== 'running') return found;
  }
}
