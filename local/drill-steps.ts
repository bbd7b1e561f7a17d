import type { DrillRecord } from '../core/drill.ts';
import { LedgerholdError } from '../core/errors.ts';
import { WrongIdentity } from '../io/age.ts';
import { PostgresToolFailed } from '../io/postgres/errors.ts';
import { IdentityNeeded } from '../vault/artifact.ts';

export type DrillStep = DrillRecord['steps'][number];

export interface StepOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
  readonly onStep?: (step: DrillStep | { readonly name: string; readonly began: true }) => void;
  readonly signal?: AbortSignal;
}

/** Does one step, timed from `began` or now; undefined if it failed, or one before it had, which is then written down. */
export type Attempt = <T>(name: string, work: () => Promise<StepEnd<T>>, began?: number) => Promise<T | undefined>;

export interface StepEnd<T> {
  readonly value: T;
  readonly text: string;
}

/** Appends each step that was begun to `steps`. */
export function stepper(steps: DrillStep[], { elapsed, onStep, signal }: StepOptions): Attempt {
  return async (name, work, began) => {
    if (worst(steps) !== 'passed') return undefined;
    signal?.throwIfAborted();
    onStep?.({ name, began: true });
    const since = began ?? elapsed();
    const done = (outcome: DrillStep['outcome'], text: string) => {
      const step = { name, milliseconds: Math.round(elapsed() - since), outcome, text };
      steps.push(step);
      onStep?.(step);
    };
    try {
      const { value, text } = await work();
      done('passed', text);
      return value;
    } catch (error) {
      signal?.throwIfAborted();
      // Nobody has said what opens it: that is no answer about the set.
      if (!(error instanceof LedgerholdError) || error instanceof IdentityNeeded) throw error;
      done(outcomeOf(error), `${error.name}: ${error.message}`);
      return undefined;
    }
  };
}

/** `failed` is what speaks against the set or its identity; what only kept us from looking is `unknown`. */
function outcomeOf(error: LedgerholdError): 'failed' | 'unknown' {
  if (error instanceof PostgresToolFailed) return /no space left/i.test(error.message) ? 'unknown' : 'failed';
  return error.kind === 'violation' || error instanceof WrongIdentity ? 'failed' : 'unknown';
}

export function worst(steps: readonly DrillStep[]): DrillStep['outcome'] {
  if (steps.some(({ outcome }) => outcome === 'failed')) return 'failed';
  return steps.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'passed';
}
