import { Duration } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  type CatchProps,
  Choice,
  type Condition,
  DefinitionBody,
  Fail,
  type IChainable,
  JsonPath,
  LogLevel,
  Map as MapState,
  ProcessorMode,
  StateMachine,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { KmsUnavailable } from '../../core/kms.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import { explainStateMachine } from '../explain-state-machine.ts';
import { currentItem, equals, pathOf, payload, type Ref, type Refs } from '../state-ref.ts';

/** 1 + 2 + 4 = 7 s at most, over the SDK's own attempts; a store that is away for longer is for the next run. */
export const SHORTLY = {
  on: [VaultUnavailable],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 3,
} as const;

/** 2 + 4 + 8 + 16 + 32 = 62 s at most: a throttled KMS gives way within seconds. */
export const UNTHROTTLED = {
  on: [KmsUnavailable],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts: 5,
} as const;

export interface TracedProps {
  readonly flow: IChainable;
  /** The steps that it calls. */
  readonly steps: Parameters<typeof explainStateMachine>[1];
  readonly timeout: Duration;
  /** Default: one that CloudFormation makes. */
  readonly stateMachineName?: string | undefined;
}

/** A state machine as all of ours are: traced, its log kept for three months, and each of its role's rights explained. */
export function tracedStateMachine(scope: Construct, { flow, steps, timeout, stateMachineName }: TracedProps) {
  const logs = new LogGroup(scope, 'Logs', { retention: RetentionDays.THREE_MONTHS });
  const stateMachine = new StateMachine(scope, 'StateMachine', {
    ...(stateMachineName !== undefined && { stateMachineName }),
    ...{ definitionBody: DefinitionBody.fromChainable(flow), timeout, tracingEnabled: true },
    // Every event, and none of the data in it.
    logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
  });
  explainStateMachine(stateMachine, steps);
  return stateMachine;
}

export interface ForEachProps<Item, Name extends string> {
  readonly items: Ref<readonly Item[]>;
  /** The item's name in the state that `body` starts with. */
  readonly as: Name;
  /** What else is in that state, from the state around it. */
  readonly and?: Readonly<Record<string, Ref<unknown>>>;
  /** Items at work at the same moment; with 1, one has ended before the next begins. */
  readonly atOnce: number;
  readonly body: IChainable;
}

/** `body` for every item. What the items leave is discarded: it lies in the vault, and a state may hold 256 KiB. */
export function forEach<Item, const Name extends string>(
  scope: Construct,
  id: string,
  { items, as, and, atOnce, body }: ForEachProps<Item, Name>,
): MapState {
  return new MapState(scope, id, {
    itemsPath: pathOf(items),
    itemSelector: payload({ ...and, [as]: currentItem<Item>() }),
    maxConcurrency: atOnce,
    resultPath: JsonPath.DISCARD,
  }).itemProcessor(body, { mode: ProcessorMode.INLINE });
}

/** A choice between two ways, to be given them where the flow is written. */
export const whether =
  (scope: Construct, question: string, condition: Condition) =>
  (yes: IChainable, no: IChainable): Choice =>
    new Choice(scope, question).when(condition, yes).otherwise(no);

/** What a catcher puts into the state. */
export interface Failure {
  readonly Error: string;
  readonly Cause: string;
}

/**
 * Ends the run with what was caught. A task that was late is caught as `States.Timeout`, perhaps without a cause; no
 * state may fail by a name of Step Functions' own, so such a run ends by one of ours.
 */
export function failed(scope: Construct, { Error: error, Cause: cause }: Refs<Failure>): IChainable {
  const asCaught = new Fail(scope, 'Failed', { errorPath: pathOf(error), causePath: pathOf(cause) });
  const late = new Fail(scope, 'Too late', { error: 'StepTimedOut', cause: 'A step was late: look at the history.' });
  return whether(scope, 'Was it late?', equals(error, 'States.Timeout'))(late, asCaught);
}

/** Catches any error, and puts it there. */
export const into = (ref: Ref<Failure>): CatchProps => ({
  errors: ['States.ALL'],
  resultPath: pathOf(ref),
});
