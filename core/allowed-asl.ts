import * as z from 'zod';
import { LedgerholdError } from './errors.ts';

/**
 * The part of the Amazon States Language in which both runtimes agree. What the local engine ignores, or does in
 * another way than Step Functions, is not in it: JSONata, variables, intrinsic functions, `.sync` and task tokens,
 * ItemReader, ItemBatcher, ToleratedFailure*, Parallel, InputPath, OutputPath, `States.TaskFailed`. The build and the
 * local runtime both refuse a definition with anything else.
 */

/** Node's timers end at 2^31 − 1 ms; a longer one fires at once. */
const Seconds = z.int().min(1).max(2_147_483);
/** Dots and identifiers only: in a ResultPath the engine takes `$['a-b']` and `$` itself for names of keys. */
const Path = z.string().regex(/^\$(\.[A-Za-z_]\w*)+$/, 'must be a path such as $.run.node');
const ResultPath = Path.nullable();

/** Of the context object, what is the same in both runtimes: in any task, and where a Map selects an item. */
const TASK_CONTEXT = ['$$.Execution.Id'];
const ITEM_CONTEXT = ['$$.Map.Item.Value', '$$.Map.Item.Index'];

/** Scalars, objects of them, and under keys that end in `.$` paths; no arrays and no intrinsic functions. */
function template(context: readonly string[]) {
  const Reference = Path.or(z.literal('$')).or(z.literal(context));
  const Fields: z.ZodType<Readonly<Record<string, unknown>>> = z.lazy(() =>
    z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), Fields]))
      .refine((fields) => Object.entries(fields).every(([key, value]) => !key.endsWith('.$') || isReference(value)), {
        error: `may refer to paths of the state${context.map((path) => `, ${path}`).join('')} and nothing else`,
      }),
  );
  const isReference = (value: unknown) => Reference.safeParse(value).success;
  return Fields;
}

/** Retries name classes of errors; a wildcard would repeat what cannot heal. */
const Retrier = z.strictObject({
  ErrorEquals: z.array(z.string().regex(/^(?!States\.(?!Timeout$))/, 'retries name the errors that can heal')).min(1),
  IntervalSeconds: Seconds,
  MaxAttempts: z.int().min(0).max(99),
  BackoffRate: z.number().min(1),
  MaxDelaySeconds: Seconds.optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});

/** One catcher for everything. Without ResultPath the error would replace the state. */
const Catchers = z.tuple([
  z.strictObject({ ErrorEquals: z.tuple([z.literal('States.ALL')]), Next: z.string(), ResultPath: Path }),
]);

const between = { Comment: z.string().optional(), Next: z.string().optional(), End: z.literal(true).optional() };

const Task = z.strictObject({
  Type: z.literal('Task'),
  /** A Lambda's ARN, or in braces the name of its step. */
  Resource: z.string().regex(/^(\$\{\w+\}|arn:[^:]+:lambda:\S+)$/, 'must be a Lambda, not a service integration'),
  /** Required: left out, the engine gives up after 60 s and Step Functions after three years. */
  TimeoutSeconds: Seconds,
  Parameters: template(TASK_CONTEXT),
  ResultPath,
  Retry: z.array(Retrier).optional(),
  Catch: Catchers.optional(),
  ...between,
});

const MapState = z.strictObject({
  Type: z.literal('Map'),
  ItemsPath: Path,
  ItemSelector: template(ITEM_CONTEXT),
  /** Required: left out, the engine runs 40 at once and Step Functions as many as it likes; 40 is an inline Map's most. */
  MaxConcurrency: z.int().min(1).max(40),
  ItemProcessor: z.lazy((): z.ZodType<Processor> => Processor),
  ResultPath,
  Catch: Catchers.optional(),
  ...between,
});

/** One variable compared in one way. */
const Rule = z.union([
  z.strictObject({ Variable: Path, StringEquals: z.string(), Next: z.string() }),
  z.strictObject({ Variable: Path, BooleanEquals: z.boolean(), Next: z.string() }),
]);

const Choice = z.strictObject({
  Type: z.literal('Choice'),
  Choices: z.array(Rule).min(1),
  /** Required: a value that nobody thought of would end the run as States.NoChoiceMatched. */
  Default: z.string(),
  Comment: z.string().optional(),
});

const Wait = z.strictObject({ Type: z.literal('Wait'), SecondsPath: Path, ...between });
const Succeed = z.strictObject({ Type: z.literal('Succeed'), Comment: z.string().optional() });
const Fail = z
  .strictObject({
    Type: z.literal('Fail'),
    Error: z.string().optional(),
    ErrorPath: Path.optional(),
    Cause: z.string().optional(),
    CausePath: Path.optional(),
    Comment: z.string().optional(),
  })
  .refine((state) => 'Error' in state !== 'ErrorPath' in state && 'Cause' in state !== 'CausePath' in state, {
    error: 'must say its error and its cause, each in one way',
  });

export type State = z.infer<typeof Task | typeof MapState | typeof Choice | typeof Wait | typeof Succeed | typeof Fail>;
export type States = Readonly<Record<string, State>>;

const States: z.ZodType<States> = z.record(
  z.string().max(80),
  z.discriminatedUnion('Type', [Task, MapState, Choice, Wait, Succeed, Fail]),
);

export interface Processor {
  readonly ProcessorConfig: { readonly Mode: 'INLINE' };
  readonly StartAt: string;
  readonly States: States;
}
const Processor: z.ZodType<Processor> = z.strictObject({
  ProcessorConfig: z.strictObject({ Mode: z.literal('INLINE') }),
  StartAt: z.string(),
  States,
});

export const AllowedMachine = z.strictObject({
  Comment: z.string().optional(),
  TimeoutSeconds: Seconds,
  StartAt: z.string(),
  States,
});
export type AllowedMachine = z.infer<typeof AllowedMachine>;

export class DefinitionRefused extends LedgerholdError {
  override readonly name = 'DefinitionRefused';
  readonly kind = 'refused';
}

/** The definition, if both runtimes would run it alike; else `DefinitionRefused` with every place and reason. */
export function allowed(definition: unknown): AllowedMachine {
  const result = AllowedMachine.safeParse(definition);
  const reasons = result.success ? wiring(result.data.States, result.data.StartAt) : [z.prettifyError(result.error)];
  if (result.success && reasons.length === 0) return result.data;
  throw new DefinitionRefused(
    `this workflow would not run alike on AWS and on this machine:\n${reasons.join('\n')}`,
    'Use only the states and fields of core/allowed-asl.ts, then build again.',
  );
}

/** What a schema cannot see: states that lead nowhere, that do not end, or that nobody reaches. */
function wiring(states: States, startAt: string): string[] {
  const reasons = [startAt, ...Object.values(states).flatMap(successors)]
    .filter((name) => !(name in states))
    .map((name) => `no state ${name} to go to`);
  const reached = reachable(states, [startAt]);
  for (const [name, state] of Object.entries(states)) {
    if (!reached.has(name)) reasons.push(`${name}: no state leads here`);
    const goesOn = state.Type === 'Task' || state.Type === 'Map' || state.Type === 'Wait';
    if (goesOn && (state.Next === undefined) !== (state.End === true))
      reasons.push(`${name}: needs either Next or End`);
    if (state.Type === 'Map') reasons.push(...wiring(state.ItemProcessor.States, state.ItemProcessor.StartAt));
  }
  return reasons;
}

/** Where a state can go by itself and by its catchers; not into a Map's items. */
export function successors(state: State): string[] {
  const caught = 'Catch' in state ? (state.Catch ?? []).map(({ Next }) => Next) : [];
  if (state.Type === 'Choice') return [...state.Choices.map(({ Next }) => Next), state.Default];
  return 'Next' in state && state.Next !== undefined ? [state.Next, ...caught] : caught;
}

/** Every state that can follow, these included. */
export function reachable(states: States, from: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [...from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = states[name];
    if (state === undefined || reached.has(name)) continue;
    reached.add(name);
    open.push(...successors(state));
  }
  return reached;
}
