import { setTimeout } from 'node:timers/promises';
import { openKmsEnvelope, openS3Vault } from '../aws/open.ts';
import { readSecretValue } from '../aws/read-secret.ts';
import { DumpOrder, DumpOrderUnusable, ORDER_VARIABLE } from '../core/dump-task.ts';
import { LedgerholdError } from '../core/errors.ts';
import { LockPolicy } from '../core/object-lock.ts';
import type { Clock, Encryption } from '../core/ports.ts';
import { LEASE_SECONDS, StaleFence } from '../core/slot.ts';
import { type Vault, VaultUnavailable } from '../core/vault.ts';
import { protocolNamed } from '../protocols/registry.ts';
import { beat, putResult } from '../vault/dump-records.ts';
import { runPrefix } from '../vault/layout.ts';
import { assertHeld, type LeasePorts } from '../vault/leases.ts';
import { takeDatabase } from './database-capture.ts';
import { type ExitCode, exitCodeOf, Interrupted } from './exit-codes.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The process as the task sees it. */
export interface TaskWorld {
  readonly env: Environment;
  readonly clock: Clock;
  /** Aborts with `Interrupted` when the task is asked to end. */
  readonly signal: AbortSignal;
  /** One line of the log. Never a secret. */
  log(line: Readonly<Record<string, unknown>>): void;
}

interface Task extends LeasePorts {
  readonly order: DumpOrder;
  readonly encryption: Encryption;
  readonly env: Environment;
}

/** What `pg_dump` has no business with: it inherits the rest. */
const OURS = /^(AWS_|ECS_|LEDGERHOLD_|VAULT_|ENVELOPE_)/;

/** Takes the one dump that its environment orders, and leaves the result in the vault. Never rejects. */
export async function runDumpTask({ env, clock, signal, log }: TaskWorld): Promise<ExitCode> {
  try {
    const task = taskOf(env, clock);
    const { node, slot, fence, component } = task.order;
    log({ event: 'started', node, slot, fence, component });
    await take(task, signal);
    log({ event: 'captured', node, slot, fence, component });
    return 0;
  } catch (error) {
    log({ event: 'failed', ...told(error) });
    return exitCodeOf(error);
  }
}

async function take(task: Task, signal: AbortSignal): Promise<void> {
  const { order, vault, clock } = task;
  await assertHeld(task, order);
  await beat(vault, order, 1, clock.now(), 0);
  try {
    const captured = await whileAlive(task, signal, (watch) => dump(task, watch));
    // The last effect, too: what a stale attempt dumped is nobody's result.
    await assertHeld(task, order);
    await putResult(vault, order, { status: 'captured', captured });
  } catch (error) {
    if (!(error instanceof StaleFence)) await putResult(vault, order, { status: 'failed', ...told(error) });
    throw error;
  }
}

async function dump(task: Task, { signal, progress }: Parameters<typeof takeDatabase>[3]) {
  const { node, slot, fence, protocol, source } = task.order;
  const { urlSecretArn, participant, bytesPerSecond } = source;
  const url = urlSecretArn === undefined ? (source.url ?? '') : await readSecretValue(urlSecretArn);
  const database = { source: { url }, protocol: protocolNamed(protocol), registered: participant, bytesPerSecond };
  const order = { ...task.order, prefix: runPrefix(node, slot, fence) };
  return takeDatabase(database, order, task, { signal, progress });
}

/** Does the work with a heartbeat beside it; gives it up when asked to, or when the slot is no longer ours. */
async function whileAlive<T>(
  task: Task,
  asked: AbortSignal,
  work: (watch: Parameters<typeof takeDatabase>[3]) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const over = new AbortController();
  const signal = AbortSignal.any([asked, lost.signal]);
  let bytes = 0;
  const beating = keepBeating(task, over.signal, () => bytes).catch((error: unknown) => lost.abort(error));
  const progress = (now: { readonly bytes: number }) => {
    bytes = now.bytes;
  };
  try {
    return await work({ signal, progress });
  } catch (error) {
    // What broke then, broke because we gave up.
    signal.throwIfAborted();
    throw error;
  } finally {
    over.abort();
    await beating;
  }
}

/** Until `over`. Rejects with `StaleFence`, or when the vault has been away for as long as a lease lives. */
async function keepBeating(task: Task, over: AbortSignal, bytes: () => number): Promise<void> {
  const { order, vault, clock } = task;
  let heardAt = clock.now().getTime();
  for (let n = 2; ; ) {
    await setTimeout(order.heartbeatSeconds * 1000, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    try {
      await assertHeld(task, order);
      await beat(vault, order, n, clock.now(), bytes());
      heardAt = clock.now().getTime();
      n += 1;
    } catch (error) {
      // For so long nobody can have taken the slot over, and S3 may be back.
      const away = clock.now().getTime() - heardAt;
      if (!(error instanceof VaultUnavailable) || away > LEASE_SECONDS * 1000) throw error;
    }
  }
}

function taskOf(env: Environment, clock: Clock): Task {
  const variable = (name: string): string => {
    const value = env[name];
    if (value !== undefined && value !== '') return value;
    throw unusable(`the environment lacks ${name}`);
  };
  const order = orderIn(variable(ORDER_VARIABLE));
  const vault: Vault = openS3Vault({
    ...{ bucket: variable('VAULT_BUCKET'), prefix: variable('VAULT_PREFIX'), account: variable('VAULT_ACCOUNT') },
    lock: lockIn(variable('VAULT_LOCK')),
  });
  const encryption = openKmsEnvelope(variable('ENVELOPE_KEY'));
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name)));
  return { order, vault, encryption, clock, env: inherited, holderGone: () => false };
}

function lockIn(text: string): LockPolicy {
  try {
    return LockPolicy.parse(JSON.parse(text));
  } catch (cause) {
    throw unusable('VAULT_LOCK says nothing that this version understands', { cause });
  }
}

function orderIn(text: string): DumpOrder {
  try {
    return DumpOrder.parse(JSON.parse(text));
  } catch (cause) {
    throw unusable(`${ORDER_VARIABLE} is no order for a dump`, { cause });
  }
}

const unusable = (why: string, options?: ErrorOptions): DumpOrderUnusable =>
  new DumpOrderUnusable(
    `this task cannot work: ${why}`,
    'Start it by the backup workflow, and deploy the stack again; orders are never written by hand.',
    options,
  );

/** Of an error that is not ours only the name is told: its text may be anybody's. */
function told(error: unknown): { readonly name: string; readonly message: string; readonly remedy: string } {
  if (error instanceof Interrupted) {
    const remedy = 'See in the ECS console who stopped the task, then run the backup again.';
    return { name: error.name, message: `the task was ${error.message}`, remedy };
  }
  if (error instanceof LedgerholdError) return { name: error.name, message: error.message, remedy: error.remedy };
  const name = error instanceof Error ? error.name : 'unknown';
  return { name: 'Unexpected', message: `an error of class ${name}, a bug of ours`, remedy: 'Report it.' };
}
