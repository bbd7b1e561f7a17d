import type { AllowedMachine } from './allowed-asl.ts';
import { type BackupCourse, backupEffort } from './transitions.ts';

export interface RunCalls {
  /** States entered: what Step Functions bills. */
  readonly transitions: number;
  /** By the name of the step: what Lambda bills. */
  readonly steps: ReadonlyMap<string, number>;
}

/** Counts what one run does when nothing fails, by walking the very definition that runs. */
export function runCalls(definition: AllowedMachine, course: BackupCourse): RunCalls {
  const steps = new Map<string, number>();
  const { transitions } = backupEffort(definition, course, (state) => {
    if (state.Type !== 'Task') return;
    const step = state.Resource.replace(/^\$\{(\w+)\}$/, '$1');
    steps.set(step, (steps.get(step) ?? 0) + 1);
  });
  return { transitions, steps };
}

/** Requests to the vault in one run, the third of a node and any later; a test counts them in a real one. */
export function vaultRequests({ waves, polls }: BackupCourse, edges: number) {
  const components = waves.reduce((sum, count) => sum + count, 0);
  const looks = components * polls;
  return {
    /** GET and HEAD. */
    reads: 12 + 6 * components + looks + edges,
    /** PUT and LIST have one price. A lease is renewed every five minutes at most, which is not in it. */
    writes: 5 + 3 * components + (8 + 2 * components + looks),
  };
}
