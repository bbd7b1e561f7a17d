import type * as z from 'zod';
import type { ErrorClass } from './errors.ts';

/**
 * What crosses the border of one step, read by three: the stack (environment, input mapping, retries), the Lambda
 * (`serve`) and the local runtime. Lists are tuples of literals, so that a misspelling anywhere does not compile.
 */
export interface Step<
  Name extends string = string,
  Env extends string = string,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Errors extends readonly ErrorClass[] = readonly ErrorClass[],
> {
  readonly name: Name;
  /** Environment variables the Lambda reads, all of them and no others. */
  readonly env: readonly Env[];
  readonly input: Input;
  readonly output: Output;
  /** What `run` may throw on purpose. */
  readonly errors: Errors;
}

export function defineStep<
  const Name extends string,
  const Env extends string,
  Input extends z.ZodType,
  Output extends z.ZodType,
  const Errors extends readonly ErrorClass[],
>(step: Step<Name, Env, Input, Output, Errors>): Step<Name, Env, Input, Output, Errors> {
  return step;
}

export type AnyStep = Step<string, string, z.ZodType, z.ZodType, readonly ErrorClass[]>;
export type InputOf<S extends AnyStep> = z.infer<S['input']>;
export type OutputOf<S extends AnyStep> = z.infer<S['output']>;
export type EnvOf<S extends AnyStep> = Readonly<Record<S['env'][number], string>>;
