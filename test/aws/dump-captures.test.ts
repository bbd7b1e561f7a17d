import { ECSClient } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { captureEnds, deployedCaptures } from '../../aws/deployed-captures.ts';
import { dumpedInTask } from '../../aws/dump-captures.ts';
import { dumpEnds } from '../../aws/dump-ends.ts';
import { DumpOrder } from '../../core/dump-task.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import { Captured } from '../../core/receipts.ts';
import { beat, putResult } from '../../vault/dump-records.ts';
import { runPrefix, taskResultKey } from '../../vault/layout.ts';
import { fakeEcs } from '../fakes/ecs.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { serveAwsJson } from '../support/aws-json.ts';
import type { Loopback } from '../support/loopback.ts';

const place = {
  cluster: 'arn:aws:ecs:eu-central-1:111111111111:cluster/dumps',
  taskDefinition: 'arn:aws:ecs:eu-central-1:111111111111:task-definition/dump:1',
  ...{ subnets: ['subnet-1'], securityGroups: ['sg-1'] },
};
const order = {
  ...{ network: 'acme', node: 'validator-1', slot: '2026-01-01T00:00:00Z', fence: 1, component: 'participant' },
  ...{
    role: 'participant',
    protocol: 'splice',
    predecessors: [],
    prefix: runPrefix('validator-1', '2026-01-01T00:00:00Z', 1),
  },
} as unknown as CaptureOrder;
const of = DumpOrder.pick({ network: true, node: true, slot: true, fence: true, component: true }).parse({
  ...{ network: order.network, node: order.node, slot: order.slot, fence: order.fence, component: order.component },
});
const KEY = `${order.prefix}participant.dump.zst.sealed`;
const captured = (key = KEY) =>
  Captured.parse({
    ...{ startedAt: '2026-01-01T00:00:00.000Z', endedAt: '2026-01-01T00:01:00.000Z', versions: {}, notes: {} },
    artifacts: [
      { key, size: 4, sha256: 'a'.repeat(64), content: 'pg_dump-custom', encodings: ['zstd'], plain: { size: 9 } },
    ],
  });

let ecs: ReturnType<typeof fakeEcs>;
let server: Loopback;
let vault: MemoryVault;
let client: ECSClient;
let minutes = 0;
let pauses: number[] = [];

beforeEach(async () => {
  ecs = fakeEcs();
  server = await serveAwsJson(ecs.operations);
  vault = new MemoryVault();
  [minutes, pauses] = [0, []];
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  client = new ECSClient({ region: 'eu-central-1', endpoint: server.origin, credentials });
});
afterEach(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

const captures = (taskDefinition = place.taskDefinition) => {
  const clock = { now: () => new Date(Date.now() + minutes * 60_000) };
  const database = { urlSecretArn: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:db' };
  const at = { ...place, taskDefinition };
  const pause = async (seconds: number) => pauses.push(seconds);
  return deployedCaptures({
    ends: { dump: dumpEnds({ vault, ecs: client, clock }) },
    sourceOf: () => dumpedInTask({ at: 'somewhere', database, place: at }, { ecs: client, clock, pause }),
  });
};

describe('starting a dump', () => {
  test('starts one task, told by names alone, however often it is repeated', async () => {
    const handles = [await captures().start(order), await captures().start(order)];
    expect(new Set(handles.map((each) => JSON.parse(each.slice(5)).task)).size).toBe(1);
    expect(ecs.tasks()).toHaveLength(1);
    const told = ecs.tasks()[0]?.input.overrides.containerOverrides[0].environment ?? [];
    expect(told.map(({ name }) => name)).toEqual(['LEDGERHOLD_ORDER']);
    expect(JSON.parse(told[0]?.value ?? '')).toMatchObject({ fence: 1, source: { urlSecretArn: expect.any(String) } });
  });

  test('of another attempt is another task', async () => {
    await captures().start(order);
    await captures().start({ ...order, fence: 2 } as CaptureOrder);
    expect(ecs.tasks()).toHaveLength(2);
  });

  test('finds the task again when the answer is lost', async () => {
    ecs.plan('RunTask', 'lost');
    const handle = await captures().start(order);
    expect(ecs.calls).toEqual(['RunTask', 'RunTask']);
    expect(handle).toContain(ecs.tasks()[0]?.arn);
    expect(ecs.tasks()).toHaveLength(1);
  });

  test.each(['RESOURCE:CPU', 'Capacity is unavailable at this time. Please try again later'])(
    'waits for room when ECS says %s, and gives up by name',
    async (failure) => {
      ecs.plan('RunTask', { failure }, 2);
      await captures().start(order);
      expect(pauses).toEqual([20, 40]);
      ecs.plan('RunTask', { failure }, 4);
      const started = captures().start({ ...order, fence: 2 } as CaptureOrder);
      await expect(started).rejects.toMatchObject({
        name: 'NoTaskCapacity',
        message: expect.stringContaining(failure),
      });
      expect(ecs.tasks()).toHaveLength(1);
    },
  );

  test('does not wait where no waiting helps', async () => {
    ecs.plan('RunTask', { failure: 'AGENT' });
    await expect(captures().start(order)).rejects.toMatchObject({ name: 'DumpTaskRefused' });
    ecs.plan('RunTask', { error: 'AccessDeniedException' });
    await expect(captures().start(order)).rejects.toMatchObject({ name: 'DumpTaskRefused', kind: 'usage' });
    expect(pauses).toEqual([]);
  });

  test('after the stack was deployed anew refuses to start a second task for one attempt', async () => {
    await captures().start(order);
    const started = captures(`${place.taskDefinition}1`).start(order);
    await expect(started).rejects.toMatchObject({ message: expect.stringContaining('ConflictException') });
    expect(ecs.tasks()).toHaveLength(1);
  });

  test('outlasts a throttled call, and names the service when throttling lasts', async () => {
    ecs.plan('RunTask', { error: 'ThrottlingException' });
    await captures().start(order);
    ecs.plan('RunTask', { error: 'ThrottlingException' }, 3);
    await expect(captures().start(order)).rejects.toMatchObject({ name: 'EcsUnavailable', kind: 'external' });
  });
});

describe('waiting for a dump', () => {
  const handle = async () => captures().start(order);
  const poll = async (given?: string) => captures().poll(given ?? (await handle()), 0);
  const stopped = { lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited', stoppedReason: 'OutOfMemoryError' };

  test('shows how far it is, by the newest heartbeat', async () => {
    expect(await poll()).toEqual({ ended: false, progress: { bytes: 0 } });
    await beat(vault, of, 1, new Date(), 5);
    await beat(vault, of, 2, new Date(), 700);
    expect(await poll()).toEqual({ ended: false, progress: { bytes: 700 } });
  });

  test('ends with the result, even of a task that ECS has forgotten, and hands over what lies in the vault', async () => {
    const given = await handle();
    await putResult(vault, of, { status: 'captured', captured: captured() });
    await vault.putOnce(KEY, Buffer.from('dump'));
    const forgotten = given.replace('task/dumps/0', 'task/dumps/9');
    expect(await poll(forgotten)).toEqual({ ended: true, progress: { bytes: 9 } });
    expect(await captures().finish(forgotten)).toEqual(captured());
  });

  test('tells the failure of the task by its name, message and remedy', async () => {
    const failure = { name: 'WrongPassword', message: 'db refuses backup', remedy: 'Correct the secret.' };
    await putResult(vault, of, { status: 'failed', ...failure });
    await expect(poll()).rejects.toMatchObject({
      ...{ name: 'DumpFailed', message: expect.stringContaining('WrongPassword: db refuses'), remedy: failure.remedy },
    });
  });

  test.each([
    [stopped, 'DumpTaskStopped', 'OutOfMemoryError'],
    [{ ...stopped, containers: [{ exitCode: 137 }] }, 'DumpTaskStopped', 'exit code 137'],
    [{ ...stopped, containers: [{ exitCode: 0 }] }, 'DumpTaskStopped', 'exit code 0'],
    [{ ...stopped, stoppedReason: 'Capacity is unavailable at this time' }, 'NoTaskCapacity', 'no room'],
    [{ lastStatus: 'HIBERNATING' }, 'DumpTaskUnknown', 'HIBERNATING'],
  ])('of a task that is %j fails as %s', async (said, name, message) => {
    const given = await handle();
    ecs.say(said);
    await expect(poll(given)).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });

  test('of a task that nobody knows is a failure, not patience', async () => {
    const given = (await handle()).replace('task/dumps/0', 'task/dumps/9');
    await expect(poll(given)).rejects.toMatchObject({ name: 'DumpTaskUnknown', kind: 'unknown' });
  });

  test('gives a task up that is silent for 15 minutes, from its start or from its last heartbeat', async () => {
    const given = await handle();
    minutes = 14;
    await poll(given);
    minutes = 16;
    await expect(poll(given)).rejects.toMatchObject({
      name: 'DumpTaskSilent',
      message: expect.stringContaining('not begun'),
    });
    await beat(vault, of, 1, new Date(), 5);
    minutes = 14;
    expect(await poll(given)).toMatchObject({ ended: false });
    minutes = 17;
    await expect(poll(given)).rejects.toMatchObject({ message: expect.stringContaining('no sign of life for 1') });
  });

  test('outlasts a throttled call', async () => {
    const given = await handle();
    ecs.plan('DescribeTasks', { error: 'ThrottlingException' }, 2);
    expect(await poll(given)).toMatchObject({ ended: false });
  });
});

describe('finishing a dump', () => {
  const finish = async () => captures().finish(await captures().start(order));

  test('without a result, or without what the result names, is a failure', async () => {
    await expect(finish()).rejects.toThrow('left no result');
    await putResult(vault, of, { status: 'captured', captured: captured() });
    await expect(finish()).rejects.toThrow('not in the vault');
    await vault.putOnce(KEY, Buffer.from('dumped'));
    await expect(finish()).rejects.toThrow('with 4 bytes');
  });

  test('refuses a result that names what is not its own', async () => {
    await putResult(vault, of, { status: 'captured', captured: captured(`${order.prefix}validator-app.dump`) });
    await expect(finish()).rejects.toThrow('not its own');
  });

  test('refuses a result that was moved here from another attempt', async () => {
    const other = { ...of, fence: 2 } as typeof of;
    await putResult(vault, other, { status: 'captured', captured: captured() });
    const moved = await vault.get(taskResultKey(other, 'participant'));
    await vault.putOnce(taskResultKey(of, 'participant'), moved ?? Buffer.of());
    await expect(finish()).rejects.toMatchObject({ name: 'NotADocument' });
  });

  test('refuses a handle that no start gave', async () => {
    const ends = captureEnds({ dump: dumpEnds({ vault, ecs: client, clock: { now: () => new Date() } }) });
    await expect(ends.finish('dump {}')).rejects.toMatchObject({ name: 'CaptureFailed' });
  });
});
