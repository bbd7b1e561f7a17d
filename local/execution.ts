import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { type AllowedMachine, reachable, type State, type States } from '../core/allowed-asl.ts';
import { acceptInput, acceptOutput } from '../core/step.ts';
import { engineForm, itemMachine, type Turn } from './engine-form.ts';
import type { LocalStep, RuntimeEvent } from './runtime.ts';
import { givenUp, RunTimedOut, StateTooLarge, StepTimedOut, TaskError } from './runtime-errors.ts';
import { pause, timer } from './timers.ts';

/** Bytes; the limit of Step Functions on a state, an input and an output. */
const STATE_LIMIT = 262_144;

/** One run of a workflow. */
export interface Execution {
  readonly id: string;
  readonly steps: Readonly<Record<string, LocalStep>>;
  readonly onEvent: (event: RuntimeEvent) => void;
  /** Errors by what the engine was told of them, since a Fail state hands on the words alone. */
  readonly originals: Map<string, unknown>;
}

type TaskState = Extract<State, { Type: 'Task' }>;
type MapState = Extract<State, { Type: 'Map' }>;

export async function execute(execution: Execution, machine: AllowedMachine, input: object, stop: AbortSignal) {
  const { StartAt, States, TimeoutSeconds } = machine;
  const late = timer(
    TimeoutSeconds,
    new RunTimedOut(`the run took more than ${TimeoutSeconds} s`, 'Look for what hung.'),
  );
  try {
    const form = { StartAt, States: engineForm(States) };
    const signal = AbortSignal.any([stop, late.signal]);
    return await runMachine(execution, form, States, fitting('the input of the run', input), {}, signal);
  } catch (error) {
    throw original(error, execution);
  } finally {
    late.clear();
  }
}

/** Runs a machine of the engine; rejects with what the engine ended with, without its wrapping. */
async function runMachine(
  execution: Execution,
  form: object,
  states: States,
  input: unknown,
  context: object,
  signal: AbortSignal,
): Promise<unknown> {
  // Validated already, and our form of it is for the engine alone.
  const machine = new StateMachine(form as StateMachineDefinition, { validationOptions: { noValidate: true } });
  const overrides = { taskResourceLocalHandlers: handlers(execution, states, signal) };
  try {
    return await machine.run(input as never, { overrides, context: { Execution: { Id: execution.id }, ...context } })
      .result;
  } catch (error) {
    throw error instanceof ExecutionError ? error.cause : error;
  }
}

function handlers(execution: Execution, states: States, signal: AbortSignal) {
  const caught = Object.values(states).flatMap((state) => ('Catch' in state ? (state.Catch ?? []) : []));
  const afterwards = reachable(
    states,
    caught.map(({ Next }) => Next),
  );
  // What a catcher leads to is done even when the run is given up.
  const signalOf = (name: string) => (afterwards.has(name) ? new AbortController().signal : signal);
  return Object.fromEntries(
    Object.entries(states).map(([name, state]) => [
      name,
      async (turn: unknown) => translated(execution, () => take(execution, name, state, turn as Turn, signalOf(name))),
    ]),
  ) as Record<string, (turn: unknown) => Promise<never>>;
}

async function translated(execution: Execution, work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    // An item's error comes translated from its own machine, and the engine's own errors are as they should be.
    if (error instanceof Error && 'isCatchable' in error) throw error;
    const told = new TaskError(error);
    execution.originals.set(told.message, error);
    throw told;
  }
}

async function take(execution: Execution, name: string, state: State, turn: Turn, signal: AbortSignal) {
  signal.throwIfAborted();
  fitting(`the state before "${name}"`, turn.state);
  if (state.Type === 'Map') return runItems(execution, state, turn, signal);
  if (state.Type === 'Wait') return pause(Number(turn.own), signal);
  if (state.Type === 'Task') return callStep(execution, name, state, turn.own, signal);
  return undefined;
}

async function callStep(execution: Execution, name: string, state: TaskState, given: unknown, stop: AbortSignal) {
  const step = stepOf(state);
  const { contract, run } = execution.steps[step] as LocalStep;
  const input = acceptInput(contract, fitting(`the input of "${name}"`, given));
  execution.onEvent({ kind: 'started', state: name, step, input });
  const late = timer(state.TimeoutSeconds, timedOut(name, state.TimeoutSeconds));
  const signal = AbortSignal.any([stop, late.signal]);
  try {
    const output = fitting(`the output of "${name}"`, acceptOutput(contract, await run(input as never, signal)));
    // Step Functions, too, takes no answer after the timeout.
    late.signal.throwIfAborted();
    execution.onEvent({ kind: 'ended', state: name, step, input, output });
    return output;
  } catch (caught) {
    const error = signal.aborted ? signal.reason : caught;
    execution.onEvent({ kind: 'failed', state: name, step, input, error: original(error, execution) });
    throw error;
  } finally {
    late.clear();
  }
}

/** All items, `MaxConcurrency` at a time. After a failure none begins, those at work are signalled, and awaited. */
async function runItems(execution: Execution, state: MapState, { state: input, own }: Turn, stop: AbortSignal) {
  const items = own as readonly unknown[];
  const results: unknown[] = Array.from({ length: items.length });
  const sibling = new AbortController();
  const signal = AbortSignal.any([stop, sibling.signal]);
  const form = itemMachine(state);
  const waiting = items.entries();
  const work = async () => {
    for (const [Index, Value] of waiting) {
      signal.throwIfAborted();
      const context = { Map: { Item: { Index, Value } } };
      results[Index] = await runMachine(execution, form, state.ItemProcessor.States, input, context, signal);
    }
  };
  const failures: unknown[] = [];
  const worker = () =>
    work().catch((error: unknown) => {
      failures.push(error);
      sibling.abort(givenUp(original(error, execution)));
    });
  await Promise.all(Array.from({ length: Math.min(state.MaxConcurrency, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** The step that a task calls: what its Resource has in braces. */
export const stepOf = ({ Resource }: TaskState): string => Resource.replace(/^\$\{(\w+)\}$/, '$1');

/** What was thrown, from what the engine made of it. */
function original(error: unknown, { originals }: Execution): unknown {
  if (error instanceof TaskError) return error.original;
  return error instanceof Error && originals.has(error.message) ? originals.get(error.message) : error;
}

/** As JSON gives it back, when it is small enough for a state of Step Functions. */
function fitting(what: string, value: unknown): unknown {
  // A Lambda that returns nothing answers null.
  const text = JSON.stringify(value === undefined ? null : value);
  const size = Buffer.byteLength(text);
  if (size <= STATE_LIMIT) return JSON.parse(text);
  throw new StateTooLarge(
    `${what} has ${size} bytes, and a state may have ${STATE_LIMIT}`,
    'Give fewer components to one run; steps pass keys and never bodies.',
  );
}

const timedOut = (state: string, seconds: number): StepTimedOut =>
  new StepTimedOut(
    `"${state}" did not end within ${seconds} s`,
    'See what it waited for, and run again; a new attempt takes the slot over.',
  );
