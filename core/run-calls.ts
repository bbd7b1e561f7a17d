import type { AllowedMachine, State, States } from './allowed-asl.ts';

/** A run as it goes when nothing fails. */
export interface RunShape {
  /** Components in each wave. */
  readonly waves: readonly number[];
  /** Looks at each capture until it has ended; at least 1. */
  readonly polls: number;
}

export interface RunCalls {
  /** States entered: what Step Functions bills. */
  readonly transitions: number;
  /** By the name of the step: what Lambda bills. */
  readonly steps: ReadonlyMap<string, number>;
}

/** Counts what one run does, by walking the very definition that runs; throws `RangeError` on what it cannot follow. */
export function runCalls({ States, StartAt }: AllowedMachine, shape: RunShape): RunCalls {
  const steps = new Map<string, number>();
  const transitions = walk(States, StartAt, shape, 0, steps);
  return { transitions, steps };
}

function walk(states: States, startAt: string, shape: RunShape, turn: number, steps: Map<string, number>): number {
  let entered = 0;
  let looks = 0;
  for (let name: string | undefined = startAt; name !== undefined; ) {
    const state: State | undefined = states[name];
    if (state === undefined) throw new RangeError(`the definition has no state ${name}`);
    entered += 1;
    if (state.Type === 'Task') {
      const step = state.Resource.replace(/^\$\{(\w+)\}$/, '$1');
      steps.set(step, (steps.get(step) ?? 0) + 1);
      if (step === 'pollCapture') looks += 1;
    }
    if (state.Type === 'Map') {
      const { ItemProcessor, ItemsPath } = state;
      for (let item = 0; item < itemsOf(ItemsPath, shape, turn); item++) {
        entered += walk(ItemProcessor.States, ItemProcessor.StartAt, shape, item, steps);
      }
    }
    name = following(name, state, looks >= shape.polls);
  }
  return entered;
}

function itemsOf(path: string, { waves }: RunShape, turn: number): number {
  if (path === '$.planWaves.waves') return waves.length;
  if (path === '$.wave') return waves[turn] ?? 0;
  throw new RangeError(`it is not known how many items ${path} has`);
}

/** Where a run goes whose slot is free, and whose captures end at the last look. */
function following(name: string, state: State, ended: boolean): string | undefined {
  if (state.Type !== 'Choice') return 'Next' in state ? state.Next : undefined;
  const [rule] = state.Choices;
  if (rule?.Variable === '$.claimSlot.outcome') return rule.Next;
  if (rule?.Variable === '$.pollCapture.ended') return ended ? rule.Next : state.Default;
  throw new RangeError(`it is not known how a run goes on at ${name}`);
}

/** Requests to the vault in one run, the third of a node and any later; a test counts them in a real one. */
export function vaultRequests({ waves, polls }: RunShape, edges: number) {
  const components = waves.reduce((sum, count) => sum + count, 0);
  const looks = components * polls;
  return {
    /** GET and HEAD. */
    reads: 12 + 6 * components + looks + edges,
    /** PUT and LIST have one price. A lease is renewed every five minutes at most, which is not in it. */
    writes: 5 + 3 * components + (8 + 2 * components + looks),
  };
}
