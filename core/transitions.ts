import type { AllowedMachine, State, States } from './allowed-asl.ts';

/** What a run costs Step Functions: transitions are paid for, and an execution holds 25,000 events at most. */
export interface Effort {
  readonly transitions: number;
  readonly events: number;
}

type Rule = Extract<State, { Type: 'Choice' }>['Choices'][number];

/** How an imagined run goes where its definition leaves that open. */
export interface Course {
  /** How many items a Map has; `turn` is that of the Map around it, from 0. */
  readonly items: (map: string, turn: number) => number;
  /** Does a choice's rule hold, when it is asked for the `visit`-th time in one turn, from 1? */
  readonly holds: (rule: Rule, visit: number) => boolean;
  /** Told of each state that is entered. */
  readonly entered?: (state: State) => void;
}

const ASKED = 100_000;

/**
 * Walks a definition from its start to its end without a failure, and counts as Step Functions does: a state that is
 * entered is a transition; a Lambda's call leaves five events, a Map four and two an item, another state two.
 */
export function effortOf({ StartAt, States }: AllowedMachine, course: Course): Effort {
  // The execution itself starts and ends.
  return plus({ transitions: 0, events: 2 }, walk(States, StartAt, course, 0));
}

function walk(states: States, startAt: string, course: Course, turn: number): Effort {
  let sum: Effort = { transitions: 0, events: 0 };
  const visits = new Map<string, number>();
  for (let name: string | undefined = startAt; name !== undefined; ) {
    const state: State | undefined = states[name];
    const visit = (visits.get(name) ?? 0) + 1;
    // A course that never ends a loop would be walked for ever.
    if (state === undefined || visit > ASKED) throw new RangeError(`the course of ${name} has no end`);
    visits.set(name, visit);
    course.entered?.(state);
    sum = plus(sum, state.Type === 'Map' ? effortOfMap(name, state, course, turn) : effortOfState(state));
    name = following(state, (rule) => course.holds(rule, visit));
  }
  return sum;
}

function effortOfMap(name: string, { ItemProcessor }: Extract<State, { Type: 'Map' }>, course: Course, turn: number) {
  const turns = Array.from({ length: course.items(name, turn) }, (_, item) =>
    plus({ transitions: 0, events: 2 }, walk(ItemProcessor.States, ItemProcessor.StartAt, course, item)),
  );
  return turns.reduce(plus, { transitions: 1, events: 4 });
}

const effortOfState = ({ Type }: State): Effort => ({ transitions: 1, events: Type === 'Task' ? 5 : 2 });

function following(state: State, holds: (rule: Rule) => boolean): string | undefined {
  if (state.Type === 'Choice') return state.Choices.find(holds)?.Next ?? state.Default;
  return 'Next' in state ? state.Next : undefined;
}

const plus = (one: Effort, other: Effort): Effort => ({
  transitions: one.transitions + other.transitions,
  events: one.events + other.events,
});

/** A backup: components by wave, and how often each capture is polled until it has ended. */
export interface BackupCourse {
  readonly waves: readonly number[];
  readonly polls: number;
}

/** A backup that takes its slot, captures wave after wave, and seals. */
export function backupEffort(
  definition: AllowedMachine,
  { waves, polls }: BackupCourse,
  entered: (state: State) => void = () => {},
): Effort {
  const waiting = '$.pollCapture.ended';
  return effortOf(definition, {
    entered,
    items: (map, turn) => (map === 'Wave after wave' ? waves.length : (waves[turn] ?? 0)),
    holds: ({ Variable }, visit) => Variable !== waiting || visit >= polls,
  });
}
