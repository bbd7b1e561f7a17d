import {
  type CatchProps,
  Choice,
  type Condition,
  type IChainable,
  JsonPath,
  Map as MapState,
  ProcessorMode,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { currentItem, pathOf, payload, type Ref } from '../state-ref.ts';

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

/** Catches any error, and puts it there. */
export const into = (ref: Ref<{ readonly Error: string; readonly Cause: string }>): CatchProps => ({
  errors: ['States.ALL'],
  resultPath: pathOf(ref),
});
