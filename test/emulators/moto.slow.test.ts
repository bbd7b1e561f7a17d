import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NotInLambda } from '../../aws/deployed-captures.ts';
import { type AllowedMachine, allowed } from '../../core/allowed-asl.ts';
import { Ticket } from '../../core/run.ts';
import { type AnyStep, acceptInput, camel } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { claimSlot } from '../../lambdas/claim-slot/contract.ts';
import { failRun } from '../../lambdas/fail-run/contract.ts';
import { finishCapture } from '../../lambdas/finish-capture/contract.ts';
import { planWaves } from '../../lambdas/plan-waves/contract.ts';
import { pollCapture } from '../../lambdas/poll-capture/contract.ts';
import { preflight } from '../../lambdas/preflight/contract.ts';
import { promoteIdentities } from '../../lambdas/promote-identities/contract.ts';
import { sealManifest } from '../../lambdas/seal-manifest/contract.ts';
import { startCapture } from '../../lambdas/start-capture/contract.ts';
import { execute } from '../support/deployed-app.ts';
import { runAt } from '../support/deployed-network.ts';
import { describeWith } from '../support/emulator.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { emitted } from '../support/workflows.ts';

const contracts: readonly AnyStep[] = [
  ...[claimSlot, preflight, planWaves, startCapture, pollCapture, finishCapture],
  ...[sealManifest, promoteIdentities, failRun],
];
const DIGEST = 'a'.repeat(64);
const run = runAt('2026-11-24T16:00:00Z');

/** Polls once without an end; its ticket says to wait a second. */
const ticket = (component: string): Ticket => {
  const { network, node, protocol, slot, pollSeconds } = run;
  return Ticket.parse({ network, node, protocol, slot, pollSeconds, fence: 1, component, role: component });
};

interface Call {
  readonly call: string;
  readonly input: unknown;
}

/** Steps that hold their input to their contracts, write down their calls, and do first what `fault` says. */
function steps(fault: (call: string, times: number) => unknown = () => {}) {
  const calls: Call[] = [];
  const times = (call: string) => calls.filter((each) => each.call === call).length;
  const answers: Record<string, (about: string) => unknown> = {
    claimSlot: () => ({ run, outcome: 'taken', fence: 1, set: '' }),
    preflight: () => ({ snapshots: 2 }),
    planWaves: () => ({ waves: [[ticket('participant')], [ticket('mediator')]] }),
    startCapture: (about) => ({ handle: `h-${about}`, pollSeconds: 1 }),
    pollCapture: (about) => ({ ended: times(`pollCapture ${about}`) > 1, waitSeconds: 1 }),
    finishCapture: (about) => ({ component: about, end: DIGEST }),
    sealManifest: () => ({ set: 'synchronizer-1/1', seq: 1, manifest: DIGEST, verdict: 'proven' }),
    promoteIdentities: () => ({ promoted: [] }),
    failRun: () => ({ error: 'told', message: '' }),
  };
  const functions = Object.fromEntries(
    contracts.map((contract) => {
      const name = camel(contract.name);
      const step = async (given: unknown) => {
        const input = acceptInput(contract, given) as { readonly ticket?: Ticket };
        const about = input.ticket?.component ?? '';
        const call = about === '' ? name : `${name} ${about}`;
        calls.push({ call, input });
        await fault(call, times(call));
        return answers[name]?.(about);
      };
      return [name, step];
    }),
  );
  return { functions, calls, names: () => calls.map(({ call }) => call) };
}

const captured = (component: string) => [
  `startCapture ${component}`,
  `pollCapture ${component}`,
  `pollCapture ${component}`,
  `finishCapture ${component}`,
];

const AWAY = new VaultUnavailable('the vault does not answer', 'Wait.');
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

describeWith('moto', 'the deployed definition, executed by Moto', (python) => {
  let moto: Moto;
  let backup: string;
  const definition = (): AllowedMachine => allowed(emitted('backup'));

  beforeAll(async () => {
    moto = await startMoto(
      python,
      contracts.map(({ name }) => camel(name)),
    );
    backup = await moto.create('backup', definition());
  }, 120_000);

  afterAll(async () => {
    await moto?.[Symbol.asyncDispose]();
  }, 60_000);

  test('captures wave after wave, waits between polls, and seals', async () => {
    const { functions, names, calls } = steps();
    moto.become(functions);
    expect(await execute(moto.sfn, backup, { run })).toMatchObject({ status: 'SUCCEEDED' });
    const both = [...captured('participant'), ...captured('mediator')];
    expect(names()).toEqual(['claimSlot', 'preflight', 'planWaves', ...both, 'sealManifest', 'promoteIdentities']);
    expect(calls[0]?.input).toMatchObject({ holder: expect.stringContaining(':execution:backup:') });
  }, 60_000);

  test('tries again what can heal, by the name of its class', async () => {
    const { functions, names } = steps((call, times) => {
      if (call === 'startCapture participant' && times < 3) throw AWAY;
    });
    moto.become(functions);
    expect(await execute(moto.sfn, backup, { run })).toMatchObject({ status: 'SUCCEEDED' });
    expect(names().filter((name) => name === 'startCapture participant')).toHaveLength(3);
  }, 60_000);

  test('gives up on what does not heal when its attempts are spent', async () => {
    const { functions, names } = steps((call) => {
      if (call === 'startCapture participant') throw AWAY;
    });
    moto.become(functions);
    expect(await execute(moto.sfn, backup, { run })).toMatchObject({ status: 'FAILED', error: 'VaultUnavailable' });
    expect(names()).toEqual([
      'claimSlot',
      'preflight',
      'planWaves',
      ...Array(4).fill('startCapture participant'),
      'failRun',
    ]);
  }, 60_000);

  test('never tries again what cannot heal: it tells why, and ends with that very error', async () => {
    const { functions, names, calls } = steps((call) => {
      if (call === 'startCapture mediator') throw new NotInLambda('no Lambda can dump it', 'Dump it elsewhere.');
    });
    moto.become(functions);
    const ended = await execute(moto.sfn, backup, { run });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'NotInLambda' });
    expect(ended.cause).toContain('no Lambda can dump it');
    const before = ['claimSlot', 'preflight', 'planWaves', ...captured('participant')];
    expect(names()).toEqual([...before, 'startCapture mediator', 'failRun']);
    expect(calls.at(-1)?.input).toMatchObject({ fence: 1, failure: { Error: 'NotInLambda' } });
  }, 60_000);

  test('ends with the first error even if the failure itself cannot be told', async () => {
    const { functions } = steps((call) => {
      if (call === 'planWaves') throw new NotInLambda('first', '');
      if (call === 'failRun') throw new NotInLambda('second', '');
    });
    moto.become(functions);
    const ended = await execute(moto.sfn, backup, { run });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'NotInLambda', cause: expect.stringContaining('first') });
  }, 60_000);

  test('does nothing for a slot that is sealed', async () => {
    const { functions, names } = steps();
    moto.become({
      ...functions,
      claimSlot: async () => ({ run, outcome: 'sealed', fence: 1, set: 'synchronizer-1/1' }),
    });
    expect(await execute(moto.sfn, backup, { run })).toMatchObject({ status: 'SUCCEEDED' });
    expect(names()).toEqual([]);
  }, 60_000);

  test('gives up on a task that answers too late, here after a second, and tells why', async () => {
    const { functions, names, calls } = steps((call) => (call === 'sealManifest' ? pause(4) : undefined));
    moto.become(functions);
    const text = JSON.stringify(definition());
    const hasty = await moto.create(
      'hasty',
      JSON.parse(text.replaceAll(/"TimeoutSeconds":\d{1,3}\b/g, '"TimeoutSeconds":1')),
    );
    expect(await execute(moto.sfn, hasty, { run })).toMatchObject({ status: 'FAILED', error: 'StepTimedOut' });
    expect(names().filter((name) => name === 'sealManifest')).toHaveLength(1);
    expect(calls.at(-1)).toMatchObject({ call: 'failRun', input: { failure: { Error: 'States.Timeout' } } });
  }, 60_000);

  test('stops a run that takes too long as a whole, here longer than three seconds', async () => {
    const { functions } = steps();
    moto.become({ ...functions, pollCapture: async () => ({ ended: false, waitSeconds: 1 }) });
    const short = await moto.create('short', { ...definition(), TimeoutSeconds: 3 });
    expect(await execute(moto.sfn, short, { run })).toMatchObject({ status: 'TIMED_OUT' });
  }, 60_000);

  test('starts once under one name with one input, and refuses the name for another', async () => {
    const { functions, names } = steps();
    moto.become(functions);
    const start = (slot: string) =>
      moto.sfn.send(
        new StartExecutionCommand({
          stateMachineArn: backup,
          name: 'once',
          input: JSON.stringify({ run: runAt(slot) }),
        }),
      );
    const [first, again] = [await start('2026-11-24T20:00:00Z'), await start('2026-11-24T20:00:00Z')];
    expect(again.executionArn).toBe(first.executionArn);
    await expect(start('2026-11-25T00:00:00Z')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    const { executionArn } = first;
    while ((await moto.sfn.send(new DescribeExecutionCommand({ executionArn }))).status === 'RUNNING') await pause(0.2);
    expect(names().filter((name) => name === 'claimSlot')).toHaveLength(1);
  }, 60_000);
});
