import type { ServeAlarm } from '../core/alarms.ts';
import type { AlarmBoard } from './alarm-board.ts';

/** How a run at a slot ended, when it did not fail. */
export type RunEnd =
  | { readonly outcome: 'sealed'; readonly set: string; readonly verdict: 'proven' | 'unknown' }
  /** Somebody else has sealed it. */
  | { readonly outcome: 'already' }
  /** Somebody else is at it. */
  | { readonly outcome: 'running' };

/** What retention did: lines for the log, and sets that it found damaged. */
export interface RetentionEnd {
  readonly done: readonly string[];
  readonly damaged: readonly string[];
}

/** The steps of a slot's work. Each may be repeated at any time, and does then only what is left to do. */
export interface SlotSteps {
  isSealed(node: string, slot: string): Promise<boolean>;
  /** Rejects with the error that ended the run, when nothing of it runs any more. */
  backup(node: string, slot: string, signal: AbortSignal): Promise<RunEnd>;
  retain(node: string, signal: AbortSignal): Promise<RetentionEnd>;
  /** Brings the second vault up to the first one; resolves to lines for the log. Absent: there is none. */
  copy?(signal: AbortSignal): Promise<readonly string[]>;
}

export interface SlotPorts {
  readonly steps: SlotSteps;
  readonly alarms: AlarmBoard;
  readonly log: (line: string) => void;
}

export type SlotEnd =
  | { readonly state: 'done'; readonly run: RunEnd }
  | { readonly state: 'running' }
  | { readonly state: 'failed'; readonly errors: readonly unknown[] };

/** Does what is left of a slot: the run, then retention, then the second vault. Rejects only when `signal` aborts. */
export async function workOff(node: string, slot: string, ports: SlotPorts, signal: AbortSignal): Promise<SlotEnd> {
  const at = { node, slot, ports, signal };
  const run = await attempt(at, alarmOfRun, () => runSlot(at));
  if ('error' in run) return { state: 'failed', errors: [run.error] };
  if (run.value.outcome === 'running') {
    ports.log(`${node}: slot ${slot} is being worked on elsewhere`);
    return { state: 'running' };
  }
  await settleRun(at, run.value);
  const errors = [...(await retainNode(at)), ...(await copyVault(at))];
  return errors.length === 0 ? { state: 'done', run: run.value } : { state: 'failed', errors };
}

interface At {
  readonly node: string;
  readonly slot: string;
  readonly ports: SlotPorts;
  readonly signal: AbortSignal;
}

/** What a run can fail with has alarms of its own where a person does something else about it. */
const RUN_ALARMS: Readonly<Record<string, ServeAlarm>> = {
  OrderViolated: 'ORDER_VIOLATED',
  ConsensusStalled: 'CONSENSUS_STALLED',
  DiskTooFull: 'DISK_TOO_FULL',
};

export const alarmOfRun = (errorName: string): ServeAlarm => RUN_ALARMS[errorName] ?? 'RUN_FAILED';

/** Tells a failure from others of its alarm: it is told once for each slot and kind of error. */
export const reasonOf = (slot: string, errorName: string): string => `${slot} ${errorName}`;

async function runSlot({ node, slot, ports: { steps, log }, signal }: At): Promise<RunEnd> {
  if (await steps.isSealed(node, slot)) return { outcome: 'already' };
  log(`${node}: slot ${slot} starts`);
  return steps.backup(node, slot, signal);
}

/** What a run that did not fail says about alarms. */
async function settleRun({ node, slot, ports: { alarms, log }, signal }: At, run: RunEnd): Promise<void> {
  const what = `slot ${slot} is sealed`;
  for (const alarm of ['RUN_FAILED', ...Object.values(RUN_ALARMS)] as const) {
    await alarms.clear(alarm, node, what, signal);
  }
  if (run.outcome !== 'sealed') return;
  log(`${node}: slot ${slot} is sealed as ${run.set}, order ${run.verdict}`);
  if (run.verdict === 'proven') return alarms.clear('SET_UNPROVEN', node, `${run.set} is proven`, signal);
  await alarms.raise('SET_UNPROVEN', node, 'unproven', { what: `${run.set} is sealed, but not proven`, slot }, signal);
}

async function retainNode(at: At): Promise<unknown[]> {
  const { node, slot, ports, signal } = at;
  const end = await attempt(
    at,
    () => 'RETENTION_FAILED',
    () => ports.steps.retain(node, signal),
  );
  if ('error' in end) return [end.error];
  await ports.alarms.clear('RETENTION_FAILED', node, 'retention is done', signal);
  for (const line of end.value.done) ports.log(`${node}: ${line}`);
  const damaged = end.value.damaged.join('; ');
  if (damaged === '') await ports.alarms.clear('SET_DAMAGED', node, 'every kept set is whole', signal);
  else await ports.alarms.raise('SET_DAMAGED', node, damaged, { what: damaged, slot }, signal);
  return [];
}

async function copyVault(at: At): Promise<unknown[]> {
  const { node, ports, signal } = at;
  const { copy } = ports.steps;
  if (copy === undefined) return [];
  const end = await attempt(
    at,
    () => 'SECOND_VAULT_BEHIND',
    () => copy(signal),
  );
  if ('error' in end) return [end.error];
  await ports.alarms.clear('SECOND_VAULT_BEHIND', node, 'the second vault has everything', signal);
  for (const line of end.value) ports.log(`second vault: ${line}`);
  return [];
}

/** A failure becomes an alarm. What an abort leads to is none. */
async function attempt<T>(
  { node, slot, ports: { alarms }, signal }: At,
  alarmOf: (errorName: string) => ServeAlarm,
  act: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await act() };
  } catch (error) {
    signal.throwIfAborted();
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    await alarms.raise(alarmOf(name), node, reasonOf(slot, name), { what: message, slot, error }, signal);
    return { error };
  }
}
