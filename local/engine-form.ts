import type { State, States } from '../core/allowed-asl.ts';

/** What a state's handler is given: the whole state before it, and its own part. */
export interface Turn {
  readonly state: unknown;
  /** A task's input, a Map's items, or the seconds of a Wait. */
  readonly own: unknown;
}

export type Handler = (turn: Turn) => Promise<unknown>;

/** The longest that Node's timers can wait, in seconds: the engine's own clock never strikes. */
const NEVER = 2_147_483;

/**
 * The states as the engine gets them: tasks, Maps and Waits are all tasks, and their handlers do what the engine would
 * do in another way than Step Functions. Left to itself it
 * - gives a task up at its timeout and starts the retry beside the first attempt, which still runs;
 * - starts a Map's waiting items after another has failed, and does not wait for those that run;
 * - sleeps through an abort, or ends the execution behind the handlers' backs;
 * - takes states of any size.
 * Retries, catchers, choices and paths stay the engine's.
 */
export function engineForm(states: States): Record<string, object> {
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, formOf(state)]));
}

function formOf(state: State): object {
  switch (state.Type) {
    case 'Task':
      return asTask(state, { own: state.Parameters }, state.ResultPath, state.Retry);
    case 'Map':
      return asTask(state, { 'own.$': state.ItemsPath }, state.ResultPath);
    case 'Wait':
      return asTask(state, { 'own.$': state.SecondsPath }, null);
    default:
      return state;
  }
}

function asTask(
  { Next, End, ...state }: Extract<State, { Type: 'Task' | 'Map' | 'Wait' }>,
  own: object,
  ResultPath: string | null,
  Retry?: object,
): object {
  return {
    Type: 'Task',
    Resource: 'local',
    TimeoutSeconds: NEVER,
    Parameters: { 'state.$': '$', ...own },
    ResultPath,
    ...(Retry && { Retry }),
    ...('Catch' in state && state.Catch && { Catch: state.Catch }),
    ...(Next === undefined ? { End } : { Next }),
  };
}

/** The machine that makes one item of a Map: first its state by the Map's selector, then the Map's own states. */
export function itemMachine({ ItemSelector, ItemProcessor }: Extract<State, { Type: 'Map' }>) {
  const select = 'select the item';
  const first = { Type: 'Pass', Parameters: ItemSelector, Next: ItemProcessor.StartAt };
  return { StartAt: select, States: { [select]: first, ...engineForm(ItemProcessor.States) } };
}
