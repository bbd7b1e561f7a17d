import { Duration } from 'aws-cdk-lib';
import { type IChainable, type StateMachine, Succeed, Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { RdsUnavailable } from '../../core/rds.ts';
import { SnapshotsUnavailable } from '../../core/snapshot-janitor.ts';
import type { OutputsOf } from '../../core/step.ts';
import { isTrue, pathOf, state } from '../state-ref.ts';
import type { CopySnapshots } from '../steps/copy-snapshots.ts';
import type { CopyVault } from '../steps/copy-vault.ts';
import { SHORTLY, tracedStateMachine, whether } from './parts.ts';

export interface SecondVaultSteps {
  readonly copyVault: CopyVault;
  readonly copySnapshots: CopySnapshots;
}

const { copyVault, copySnapshots } = state<OutputsOf<SecondVaultSteps[keyof SecondVaultSteps]['step']>>();

/** 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60 = 242 s at most, in which a throttled account gets its rate back. */
const PATIENTLY = {
  on: [RdsUnavailable, SnapshotsUnavailable],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts: 8,
  maxDelay: Duration.seconds(60),
} as const;

/** It starts every hour, and what it does may be repeated and broken off: so it ends when the next begins. */
const LONGEST_RUN = Duration.hours(1);

/**
 * Turn after turn, until the second vault has every object; then look after look, until it has the copy of every snapshot,
 * or what it lacks is being made and not late. It succeeds then and only then: an alarm counts on it.
 */
export class SecondVaultWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, steps: SecondVaultSteps) {
    super(scope, id);
    this.stateMachine = tracedStateMachine(this, {
      flow: flow(this, steps),
      steps: [steps.copyVault, steps.copySnapshots],
      timeout: LONGEST_RUN,
    });
  }
}

function states(scope: Construct, steps: SecondVaultSteps) {
  const { snapshots, lookUntil } = copyVault;
  return {
    copy: steps.copyVault.task('Copy what is lacking', { input: {}, retries: [SHORTLY] }),
    isItAll: whether(scope, 'Is that all?', isTrue(copyVault.done)),
    bring: steps.copySnapshots.task('Bring the snapshots further', {
      input: { snapshots, lookUntil },
      retries: [SHORTLY, PATIENTLY],
    }),
    areTheyThere: whether(scope, 'Is nothing to be waited for?', isTrue(copySnapshots.done)),
    wait: new Wait(scope, 'Wait', { time: WaitTime.secondsPath(pathOf(copySnapshots.waitSeconds)) }),
    done: new Succeed(scope, 'Done'),
  };
}

function flow(scope: Construct, steps: SecondVaultSteps): IChainable {
  const { copy, isItAll, bring, areTheyThere, wait, done } = states(scope, steps);
  const snapshots = bring.next(areTheyThere(done, wait.next(bring)));
  return copy.next(isItAll(snapshots, copy));
}
