import { Condition, JsonPath } from 'aws-cdk-lib/aws-stepfunctions';

const PATH = Symbol('path');

/** A place in a run's state that holds a `T`. */
export interface Ref<out T> {
  readonly [PATH]: string;
  /** Never there at run time: it carries `T` through the compiler. */
  readonly type?: T;
}

/** A reference to a `T`, and by its fields the references to all that lies in it. */
export type Refs<T> = Ref<T> &
  (T extends string | number | boolean | null | readonly unknown[]
    ? unknown
    : { readonly [Field in keyof T]-?: Refs<T[Field]> });

/** References into a state of type `State`: `state<BackupState>().run.node` is `$.run.node`, and a misspelling no type. */
export const state = <State>(): Refs<State> => at('$');

/** The execution's own id: one for each run, the same in every retry. */
export const executionId: Ref<string> = at('$$.Execution.Id');

/** The item that a Map's turn is for. */
export const currentItem = <Item>(): Ref<Item> => at('$$.Map.Item.Value');

export const pathOf = (ref: Ref<unknown>): string => ref[PATH];

export const equals = <T extends string>(ref: Ref<T>, value: NoInfer<T>): Condition =>
  Condition.stringEquals(pathOf(ref), value);

export const isTrue = (ref: Ref<boolean>): Condition => Condition.booleanEquals(pathOf(ref), true);

/** An object of references as a payload template. */
export const payload = (refs: Readonly<Record<string, Ref<unknown>>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(refs).map(([field, ref]) => [field, JsonPath.objectAt(pathOf(ref))]));

function at<R extends Ref<unknown>>(path: string): R {
  return new Proxy({ [PATH]: path } as unknown as R, {
    get: (target, field) => (typeof field === 'string' ? at(`${path}.${field}`) : Reflect.get(target, field)),
  });
}
