import * as z from 'zod';
import { LedgerholdError } from './errors.ts';
import { ComponentName, Fence, Instant, NetworkName, NodeName, Slot } from './names.ts';
import { Captured, CaptureFailed } from './receipts.ts';

/** Variable of the task's environment that holds its order, as JSON. */
export const ORDER_VARIABLE = 'LEDGERHOLD_ORDER';

/** The container's name in its task definition, to which the order is given. */
export const DUMP_CONTAINER = 'dump';

/** How often a task says that it is alive: a capture of 4 h leaves 240 small documents. */
export const HEARTBEAT_SECONDS = 60;

/** Longer than Fargate takes to bring a task up, and than a lease lives: then nobody waits for it any more. */
export const SILENT_AFTER_SECONDS = 900;

/** A database that a task dumps. Names its secret by ARN and holds none: it travels in environments. */
export const DumpSource = z
  .strictObject({
    /** An address without a password, or */
    url: z.string().min(1).optional(),
    /** the ARN of the secret that is the address. */
    urlSecretArn: z.string().startsWith('arn:').optional(),
    /** The registered participant; another one's database is refused. */
    participant: z.string().min(1).optional(),
    bytesPerSecond: z.int().min(1).optional(),
  })
  .refine(({ url, urlSecretArn }) => (url === undefined) !== (urlSecretArn === undefined), {
    error: 'give exactly one of url, urlSecretArn',
  });
export type DumpSource = z.infer<typeof DumpSource>;

const attempt = {
  network: NetworkName,
  node: NodeName,
  slot: Slot,
  fence: Fence,
  component: ComponentName,
};

/** What a task is told when it is started: names only. */
export const DumpOrder = z.strictObject({
  ...attempt,
  protocol: z.string(),
  role: z.string(),
  source: DumpSource,
  heartbeatSeconds: z.int().min(1).max(300),
});
export type DumpOrder = z.infer<typeof DumpOrder>;

/** One component of one attempt, as a task is about it. */
export type DumpOf = Pick<DumpOrder, 'network' | 'node' | 'slot' | 'fence' | 'component'>;

/** Written once under its number while the task lives; number 1 is the task's claim to be the only one. */
export const DumpHeartbeat = z.strictObject({
  format: z.literal('ledgerhold/dump-heartbeat/1'),
  ...attempt,
  n: z.int().min(1),
  at: Instant,
  /** Of the dump, before encodings. */
  bytes: z.int().min(0),
});
export type DumpHeartbeat = z.infer<typeof DumpHeartbeat>;

/** Written once when the task has ended: what it captured, or why it did not. */
export const DumpResult = z.strictObject({
  format: z.literal('ledgerhold/dump-result/1'),
  ...attempt,
  outcome: z.discriminatedUnion('status', [
    z.strictObject({ status: z.literal('captured'), captured: Captured }),
    z.strictObject({ status: z.literal('failed'), name: z.string(), message: z.string(), remedy: z.string() }),
  ]),
});
export type DumpResult = z.infer<typeof DumpResult>;

/** A task's environment is not an order to dump something. */
export class DumpOrderUnusable extends LedgerholdError {
  override readonly name = 'DumpOrderUnusable';
  readonly kind = 'usage';
}

/** Another task is at this capture already, or was. */
export class DumpTaskRivalled extends LedgerholdError {
  override readonly name = 'DumpTaskRivalled';
  readonly kind = 'refused';
}

/** The dump failed in its task; the message begins with the failure's own name. */
export class DumpFailed extends CaptureFailed {
  override readonly name = 'DumpFailed';
}

/** ECS cannot start a task now; the same call may succeed in a moment. */
export class NoTaskCapacity extends CaptureFailed {
  override readonly name = 'NoTaskCapacity';
}

/** ECS will not start this task, however often it is asked. */
export class DumpTaskRefused extends CaptureFailed {
  override readonly name = 'DumpTaskRefused';
  override readonly kind = 'usage';
}

/** The task ended and left no result: killed, out of memory, or its image could not be started. */
export class DumpTaskStopped extends CaptureFailed {
  override readonly name = 'DumpTaskStopped';
}

/** The task is said to run, and has given no sign of life for a long time. */
export class DumpTaskSilent extends CaptureFailed {
  override readonly name = 'DumpTaskSilent';
}

/** ECS says of the task what this version does not know, or knows no such task. */
export class DumpTaskUnknown extends CaptureFailed {
  override readonly name = 'DumpTaskUnknown';
  override readonly kind = 'unknown';
}

/** ECS gave no answer. */
export class EcsUnavailable extends CaptureFailed {
  override readonly name = 'EcsUnavailable';
}
