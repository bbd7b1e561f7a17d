import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { canonicalBytes } from '../core/canonical.ts';
import {
  DUMP_CONTAINER,
  DumpOrder,
  type DumpSource,
  DumpTaskRefused,
  HEARTBEAT_SECONDS,
  NoTaskCapacity,
  ORDER_VARIABLE,
} from '../core/dump-task.ts';
import type { CaptureOrder, Clock } from '../core/ports.ts';
import type { DeployedSource } from './deployed-captures.ts';
import type { DumpHandle } from './dump-ends.ts';
import { callEcs, isCapacity, noCapacity } from './ecs-errors.ts';

/** Where the tasks of one node run. */
export interface DumpPlace {
  /** ARNs. */
  readonly cluster: string;
  readonly taskDefinition: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
}

export interface DumpTaskSource {
  /** For people and for the receipt; never a secret. */
  readonly at: string;
  readonly database: DumpSource;
  readonly place: DumpPlace;
}

export interface DumpPorts {
  readonly ecs: ECSClient;
  readonly clock: Clock;
  /** Default: `HEARTBEAT_SECONDS`. */
  readonly heartbeatSeconds?: number;
  /** Default: the clock's own. */
  readonly pause?: (seconds: number) => Promise<unknown>;
}

/**
 * A database that a task of its own dumps. A repeated start is answered with the same task: its client token is made of
 * the attempt. Should ECS forget that (it does so after a day), the second task finds the first one's claim in the vault.
 */
export const dumpedInTask = ({ at, database, place }: DumpTaskSource, ports: DumpPorts): DeployedSource => ({
  ...{ kind: 'dump', at },
  start: async (order) => {
    const dumpOrder = orderOf(order, database, ports);
    const task = await untilThereIsRoom(() => runTask(dumpOrder, place, ports.ecs), ports);
    const { network, node, slot, fence, component } = dumpOrder;
    const startedAt = ports.clock.now().toISOString();
    const handle = { cluster: place.cluster, task, startedAt, of: { network, node, slot, fence, component } };
    return JSON.stringify(handle satisfies DumpHandle);
  },
});

/** 20 + 40 + 80 = 140 s of the 5 minutes that the step has. An answer without room has started no task. */
const PAUSES_SECONDS: readonly number[] = [20, 40, 80];

async function untilThereIsRoom<T>(start: () => Promise<T>, { pause = sleep }: DumpPorts): Promise<T> {
  for (const seconds of PAUSES_SECONDS) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof NoTaskCapacity)) throw error;
    }
    await pause(seconds);
  }
  return start();
}

const sleep = (seconds: number) => setTimeout(seconds * 1000);

function orderOf(order: CaptureOrder, source: DumpSource, { heartbeatSeconds = HEARTBEAT_SECONDS }: DumpPorts) {
  const { network, node, slot, fence, component, protocol, role } = order;
  return DumpOrder.parse({ network, node, slot, fence, component, protocol, role, source, heartbeatSeconds });
}

async function runTask(order: DumpOrder, place: DumpPlace, ecs: ECSClient): Promise<string> {
  const { node, slot, fence, component } = order;
  const command = new RunTaskCommand({
    cluster: place.cluster,
    taskDefinition: place.taskDefinition,
    launchType: 'FARGATE',
    count: 1,
    clientToken: tokenOf(order),
    startedBy: 'ledgerhold',
    networkConfiguration: {
      awsvpcConfiguration: { subnets: [...place.subnets], securityGroups: [...place.securityGroups] },
    },
    overrides: {
      containerOverrides: [
        { name: DUMP_CONTAINER, environment: [{ name: ORDER_VARIABLE, value: JSON.stringify(order) }] },
      ],
    },
  });
  const about = `to dump ${component} of ${node} (slot ${slot}, attempt ${fence})`;
  const { tasks = [], failures = [] } = await callEcs(about, () => ecs.send(command));
  const [started] = tasks;
  if (started?.taskArn !== undefined) return started.taskArn;
  const reason =
    failures.map((each) => each.reason ?? 'no reason given').join('; ') || 'it gave neither task nor reason';
  if (isCapacity(reason)) throw noCapacity(component, reason);
  const remedy = 'Deploy the stack again, and see that the subnets and security groups of `vpc` exist.';
  throw new DumpTaskRefused(`ECS started no task ${about}: ${reason}`, remedy);
}

/** 64 characters, ECS's limit: one attempt's own, the same for every repetition. */
const tokenOf = ({ network, node, slot, fence, component }: DumpOrder): string =>
  createHash('sha256').update(canonicalBytes({ network, node, slot, fence, component })).digest('hex');
