import { setTimeout } from 'node:timers/promises';
import { DescribeTasksCommand, type ECSClient, type Task } from '@aws-sdk/client-ecs';
import * as z from 'zod';
import {
  DumpFailed,
  type DumpOf,
  DumpOrder,
  type DumpResult,
  DumpTaskSilent,
  DumpTaskStopped,
  DumpTaskUnknown,
  SILENT_AFTER_SECONDS,
} from '../core/dump-task.ts';
import { Instant } from '../core/names.ts';
import type { Clock } from '../core/ports.ts';
import { type Artifact, type Captured, CaptureFailed } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';
import { newestBeat, readResult } from '../vault/dump-records.ts';
import { runPrefix } from '../vault/layout.ts';
import type { CaptureEnd } from './deployed-captures.ts';
import { callEcs, isCapacity, noCapacity } from './ecs-errors.ts';

/** What travels through the state machine. */
const DumpHandle = z.strictObject({
  /** ARNs. */
  cluster: z.string(),
  task: z.string(),
  startedAt: Instant,
  of: DumpOrder.pick({ network: true, node: true, slot: true, fence: true, component: true }),
});
export type DumpHandle = z.input<typeof DumpHandle>;
type Handle = z.infer<typeof DumpHandle>;

export interface DumpEndPorts {
  readonly ecs: Pick<ECSClient, 'send'>;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** Where nothing waits between polls, a poll waits inside. */
const LOOK_EVERY_SECONDS = 2;

/** What follows the start of a task: the vault is asked first, since a result outlives its task; then ECS. */
export function dumpEnds(ports: DumpEndPorts): CaptureEnd {
  return {
    poll: async (text, waitSeconds) => {
      const handle = handleIn(text);
      for (let waited = 0; ; waited += LOOK_EVERY_SECONDS) {
        const seen = await progressOf(handle, ports);
        if (seen.ended || waited >= waitSeconds) return seen;
        await setTimeout(LOOK_EVERY_SECONDS * 1000);
      }
    },
    finish: async (text) => {
      const { of } = handleIn(text);
      const result = await readResult(ports.vault, of);
      if (result === undefined) throw missing(of);
      const captured = capturedOf(of, result);
      for (const artifact of captured.artifacts) await lookAt(ports.vault, of, artifact);
      return captured;
    },
    // All that a task leaves lies in the vault, where the guard has looked.
    attest: async () => {},
  };
}

async function progressOf({ of, task, cluster, startedAt }: Handle, ports: DumpEndPorts) {
  const result = await readResult(ports.vault, of);
  if (result !== undefined) return ended(of, result);
  const described = await describe(ports.ecs, cluster, task, of);
  if (described?.lastStatus === 'STOPPED') {
    // It may have left its result after the first look.
    const late = await readResult(ports.vault, of);
    if (late !== undefined) return ended(of, late);
    throw stopped(of, described);
  }
  if (!ON_THE_WAY.includes(described?.lastStatus ?? '')) throw unknown(of, task, described?.lastStatus);
  const beat = await newestBeat(ports.vault, of);
  const seenAt = beat?.seenAt ?? new Date(startedAt);
  const seconds = (ports.clock.now().getTime() - seenAt.getTime()) / 1000;
  if (seconds > SILENT_AFTER_SECONDS) throw silent(of, task, seconds, beat !== undefined);
  return { ended: false, progress: { bytes: beat?.bytes ?? 0 } };
}

function ended(of: DumpOf, result: DumpResult['outcome']) {
  const bytes = capturedOf(of, result).artifacts.reduce((sum, { plain }) => sum + plain.size, 0);
  return { ended: true, progress: { bytes } };
}

/** In the order of a task's life; STOPPED, its end, is not among them. */
const ON_THE_WAY: readonly string[] = [
  ...['PROVISIONING', 'PENDING', 'ACTIVATING', 'RUNNING'],
  ...['DEACTIVATING', 'STOPPING', 'DEPROVISIONING'],
];

async function describe(
  ecs: DumpEndPorts['ecs'],
  cluster: string,
  task: string,
  of: DumpOf,
): Promise<Task | undefined> {
  const command = new DescribeTasksCommand({ cluster, tasks: [task] });
  const { tasks = [] } = await callEcs(`about the dump of ${of.component} of ${of.node}`, () => ecs.send(command));
  return tasks.find(({ taskArn }) => taskArn === task);
}

/** By a listing: a role that may list needs no right to read what was captured. */
async function lookAt(vault: Vault, of: DumpOf, { key, size }: Artifact): Promise<void> {
  if (!key.startsWith(`${runPrefix(of.node, of.slot, of.fence)}${of.component}.dump`)) throw foreign(of, key);
  for await (const found of vault.list(key)) if (found.key === key && found.size === size) return;
  const remedy = 'Run the whole backup again, and find out who removes objects from the vault.';
  throw new CaptureFailed(
    `the dump of ${of.component} ended, but ${key} is not in the vault with ${size} bytes`,
    remedy,
  );
}

function capturedOf({ component, node }: DumpOf, result: DumpResult['outcome']): Captured {
  if (result.status === 'captured') return result.captured;
  const { name, message, remedy } = result;
  throw new DumpFailed(`the dump of ${component} of ${node} failed in its task: ${name}: ${message}`, remedy);
}

function handleIn(text: string): Handle {
  const handle = DumpHandle.safeParse(JSON.parse(text));
  if (handle.success) return handle.data;
  const remedy = 'Run the whole backup again; states run by hand must carry the handle that the start gave.';
  throw new CaptureFailed('this is not the handle of a dump', remedy, { cause: handle.error });
}

function stopped({ component, node }: DumpOf, { containers, stoppedReason, stopCode, taskArn }: Task) {
  const container = containers?.[0];
  const why = [stopCode, stoppedReason, container?.reason].filter((each) => each !== undefined).join(': ');
  if (isCapacity(stoppedReason ?? '')) return noCapacity(component, why);
  const code = container?.exitCode === undefined ? 'before its program began' : `with exit code ${container.exitCode}`;
  return new DumpTaskStopped(
    `the task that dumps ${component} of ${node} ended ${code} and left no result: ${why || 'no reason given'}`,
    `See its log; 137 is a kill, most often for want of memory: give \`fargate\` more. The task was ${taskArn}.`,
  );
}

const unknown = ({ component, node }: DumpOf, task: string, status: string | undefined): DumpTaskUnknown =>
  new DumpTaskUnknown(
    status === undefined
      ? `ECS knows no task ${task}, which dumps ${component} of ${node}, and it left no result`
      : `ECS says ${status} of the task that dumps ${component} of ${node}, which this version does not know`,
    'Look at the task in the ECS console, then run the backup again.',
  );

function silent({ component, node }: DumpOf, task: string, seconds: number, everHeard: boolean): DumpTaskSilent {
  const minutes = Math.floor(seconds / 60);
  const since = everHeard ? 'given no sign of life' : 'not begun';
  return new DumpTaskSilent(
    `the task that dumps ${component} of ${node} has ${since} for ${minutes} minutes`,
    `Look at the task in the ECS console (${task}): it must reach S3, KMS and Secrets Manager from its subnets.`,
  );
}

const missing = ({ component, node }: DumpOf): CaptureFailed =>
  new CaptureFailed(`the dump of ${component} of ${node} has left no result`, 'Run the whole backup again.');

const foreign = ({ component }: DumpOf, key: string): CaptureFailed =>
  new CaptureFailed(
    `the result of ${component} names ${key}, which is not its own`,
    'Verify the vault, then run again.',
  );
