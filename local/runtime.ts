import { type AllowedMachine, allowed, type States } from '../core/allowed-asl.ts';
import { type AnyStep, camel, type InputOf, type OutputOf } from '../core/step.ts';
import { execute, stepOf } from './execution.ts';
import { StepsDoNotFit } from './runtime-errors.ts';

/** A contract and what fulfils it here. `signal` says that the result is no longer wanted: end soon, by any error. */
export interface LocalStep {
  readonly contract: AnyStep;
  readonly run: (input: never, signal: AbortSignal) => Promise<unknown>;
}

/** A step for a runtime, its function typed by its contract. */
export const local = <S extends AnyStep>(
  contract: S,
  run: (input: InputOf<S>, signal: AbortSignal) => Promise<OutputOf<S>>,
): LocalStep => ({ contract, run });

export type RuntimeEvent = { readonly state: string; readonly step: string } & (
  | { readonly kind: 'started'; readonly input: unknown }
  | { readonly kind: 'ended'; readonly input: unknown; readonly output: unknown }
  | { readonly kind: 'failed'; readonly input: unknown; readonly error: unknown }
);

export interface RuntimeProps {
  /** As `dist/workflows/<name>.asl.json` has it. */
  readonly definition: unknown;
  /** By the names that the definition's tasks have in braces: one for each, and no other. */
  readonly steps: Readonly<Record<string, LocalStep>>;
  readonly onEvent?: (event: RuntimeEvent) => void;
}

export interface RunOptions {
  /** `$$.Execution.Id`: unique to this run. */
  readonly executionId: string;
  /** Ends the run: its steps are signalled and awaited, and what a catcher leads to is still done. */
  readonly signal?: AbortSignal;
}

export interface Runtime {
  /**
   * The state that the run ends with. Rejects with the very error that ended it, when no step runs any more. An abort
   * is noticed by the steps at once, and by the run when they have ended, or after the retry delay that it is in.
   */
  run(input: object, options: RunOptions): Promise<unknown>;
}

/** Runs a workflow's definition in this process. Throws `DefinitionRefused` or `StepsDoNotFit`. */
export function runtime({ definition, steps, onEvent = () => {} }: RuntimeProps): Runtime {
  const machine = allowed(definition);
  refuseMisfits(machine, steps);
  return {
    run: (input, { executionId, signal = new AbortController().signal }) =>
      execute({ id: executionId, steps, onEvent, originals: new Map() }, machine, input, signal),
  };
}

/** A task without a step would be called on AWS; a step without a task would be believed to run. */
function refuseMisfits(machine: AllowedMachine, steps: RuntimeProps['steps']): void {
  const called = new Set(stepsOf(machine.States));
  const given = Object.keys(steps);
  const misfits = [
    ...[...called].filter((name) => !given.includes(name)).map((name) => `no step for the task ${name}`),
    ...given.filter((name) => !called.has(name)).map((name) => `no task for the step ${name}`),
    ...given.flatMap((name) => {
      const own = steps[name]?.contract.name ?? '';
      return camel(own) === name ? [] : [`${name} is given the contract of ${own}`];
    }),
  ];
  if (misfits.length === 0) return;
  throw new StepsDoNotFit(`the workflow and its steps do not fit: ${misfits.join('; ')}`, 'Build again.');
}

const stepsOf = (states: States): string[] =>
  Object.values(states).flatMap((state) => {
    if (state.Type === 'Map') return stepsOf(state.ItemProcessor.States);
    return state.Type === 'Task' ? [stepOf(state)] : [];
  });
