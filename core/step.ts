import * as z from 'zod';
import { type ErrorClass, LedgerholdError } from './errors.ts';

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

/** `seal-manifest` is `sealManifest` wherever a name must be an identifier: in a run's state and in a definition. */
export type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

export const camel = <Name extends string>(name: Name): Camel<Name> =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as Camel<Name>;

/** What these steps leave in a run's state: each its output, under its own name. */
export type OutputsOf<Steps extends AnyStep> = { readonly [S in Steps as Camel<S['name']>]: OutputOf<S> };

/** A step was given, or gave back, what its contract does not allow. The offending value is not quoted. */
export class ContractBroken extends LedgerholdError {
  override readonly name = 'ContractBroken';
  readonly kind = 'refused';
}

export function acceptInput<S extends AnyStep>(step: S, value: unknown): InputOf<S> {
  const remedy =
    'Start the workflow by its schedule or by `ledgerhold backup`; states run by hand must fit the contract.';
  return accept(step.input, value, `step ${step.name} cannot work on this input`, remedy) as InputOf<S>;
}

export function acceptOutput<S extends AnyStep>(step: S, value: unknown): OutputOf<S> {
  const remedy = 'Report this: a step of this software broke its own contract.';
  return accept(step.output, value, `step ${step.name} answered what it may not`, remedy) as OutputOf<S>;
}

function accept(schema: z.ZodType, value: unknown, what: string, remedy: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ContractBroken(`${what}: ${z.prettifyError(result.error)}`, remedy);
}
