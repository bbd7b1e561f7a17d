import { Duration } from 'aws-cdk-lib';
import {
  type Chain,
  type IChainable,
  type Map as MapState,
  type StateMachine,
  Succeed,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { EcsUnavailable } from '../../core/dump-task.ts';
import { SecretsUnavailable } from '../../core/identities-secret.ts';
import { DatabaseBusy, RdsUnavailable } from '../../core/rds.ts';
import type { AskedRun, Run, Ticket } from '../../core/run.ts';
import { SnapshotsUnavailable } from '../../core/snapshot-janitor.ts';
import type { OutputsOf } from '../../core/step.ts';
import { equals, executionId, isTrue, pathOf, state } from '../state-ref.ts';
import type { BackupSteps } from '../steps/backup-steps.ts';
import { type Failure, failed, forEach, into, SHORTLY, tracedStateMachine, UNTHROTTLED, whether } from './parts.ts';

type Steps = { readonly [Name in Exclude<keyof BackupSteps, keyof Construct | 'all'>]: BackupSteps[Name]['step'] };

/** The state of a run: its input, what each step has left, and what a catcher caught. */
interface RunState extends OutputsOf<Steps['claimSlot' | 'planWaves' | 'sealManifest']> {
  readonly run: AskedRun;
  readonly failure: Failure;
  /** Why the failure itself could not be told. */
  readonly untold: Failure;
}
interface WaveState {
  readonly wave: readonly Ticket[];
  readonly components: Run['components'];
}
interface CaptureState extends OutputsOf<Steps['startCapture' | 'pollCapture' | 'finishCapture']> {
  readonly ticket: Ticket;
  readonly components: Run['components'];
}

const ofRun = state<RunState>();
const ofWave = state<WaveState>();
const ofCapture = state<CaptureState>();

/** The same of the steps that store secrets. */
const UNTHROTTLED_SECRETS = { ...UNTHROTTLED, on: [SecretsUnavailable] } as const;

/** 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60 = 242 s at most, in which a throttled account gets its rate back. */
const PATIENTLY = {
  on: [RdsUnavailable],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts: 8,
  maxDelay: Duration.seconds(60),
} as const;

/** The same of the steps that ask ECS; a repeated start finds the task that the first one started. */
const PATIENTLY_OF_ECS = { ...PATIENTLY, on: [EcsUnavailable] } as const;

/** Every minute, 30 times: RDS's own backup windows are half an hour long. */
const UNTIL_THE_WINDOW_CLOSES = {
  on: [DatabaseBusy],
  interval: Duration.seconds(60),
  backoffRate: 1,
  maxAttempts: 30,
  steady: true,
} as const;

/** Captures side by side. More would share the source's disk and network and gain nothing. */
const CAPTURES_AT_ONCE = 8;

/** The widest spread that a run may ask for, 48 h, and 4 h for its last capture. */
const LONGEST_RUN = Duration.hours(52);

/** One run: the slot claimed, wave after wave captured, the set sealed; or the reason left where it can be read. */
export class BackupWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, steps: BackupSteps, stateMachineName: string) {
    super(scope, id);
    this.stateMachine = tracedStateMachine(this, {
      flow: flow(this, steps),
      steps: steps.all,
      timeout: LONGEST_RUN,
      stateMachineName,
    });
  }
}

function states(scope: Construct, steps: BackupSteps) {
  const { run: asked, claimSlot, sealManifest, failure } = ofRun;
  const { run, fence } = claimSlot;
  const { ticket, components, startCapture, pollCapture } = ofCapture;
  const { handle } = startCapture;
  return {
    claim: steps.claimSlot.task('Claim the slot', { input: { run: asked, holder: executionId }, retries: [SHORTLY] }),
    isItOurs: whether(scope, 'Is it ours?', equals(claimSlot.outcome, 'taken')),
    preflight: steps.preflight.task('Look for room', {
      input: { run },
      retries: [{ ...PATIENTLY, on: [RdsUnavailable, SnapshotsUnavailable] }, UNTHROTTLED],
    }),
    plan: steps.planWaves.task('Plan the waves', { input: { run, fence } }),
    start: steps.startCapture.task('Start the capture', {
      input: { ticket, components },
      retries: [SHORTLY, PATIENTLY, PATIENTLY_OF_ECS, UNTIL_THE_WINDOW_CLOSES, UNTHROTTLED, UNTHROTTLED_SECRETS],
    }),
    poll: steps.pollCapture.task('Poll the capture', {
      input: { ticket, handle },
      retries: [SHORTLY, PATIENTLY, PATIENTLY_OF_ECS],
    }),
    hasItEnded: whether(scope, 'Has it ended?', isTrue(pollCapture.ended)),
    wait: new Wait(scope, 'Wait', { time: WaitTime.secondsPath(pathOf(pollCapture.waitSeconds)) }),
    finish: steps.finishCapture.task('Finish the capture', {
      input: { ticket, handle },
      retries: [SHORTLY, PATIENTLY],
    }),
    seal: steps.sealManifest.task('Seal the set', { input: { run, fence }, retries: [SHORTLY, UNTHROTTLED] }),
    promote: steps.promoteIdentities.task('Promote the identities', {
      input: { node: run.node, seq: sealManifest.seq, manifest: sealManifest.manifest },
      retries: [SHORTLY, UNTHROTTLED_SECRETS],
    }),
    done: new Succeed(scope, 'Done'),
    tellWhy: steps.failRun.task('Tell why', { input: { run, fence, failure }, retries: [SHORTLY] }),
    failed: failed(scope, failure),
  };
}

function inWaves(scope: Construct, capture: IChainable): MapState {
  // The list of all components goes along by itself: in every ticket it would fill the state with copies.
  const [ofAll, onwards] = [{ components: ofRun.claimSlot.run.components }, { components: ofWave.components }];
  const ofOne = { items: ofWave.wave, as: 'ticket', and: onwards, atOnce: CAPTURES_AT_ONCE, body: capture } as const;
  const wave = forEach(scope, 'Side by side', ofOne);
  const { waves } = ofRun.planWaves;
  return forEach(scope, 'Wave after wave', { items: waves, as: 'wave', and: ofAll, atOnce: 1, body: wave });
}

function flow(scope: Construct, steps: BackupSteps): Chain {
  const { claim, isItOurs, preflight, plan, seal, promote, done, tellWhy, failed, ...capture } = states(scope, steps);
  const { start, poll, hasItEnded, wait, finish } = capture;

  const captures = inWaves(scope, start.next(poll.next(hasItEnded(finish, wait.next(poll)))));
  const backup = preflight.next(plan).next(captures).next(seal).next(promote).next(done);
  for (const each of [preflight, plan, captures, seal, promote]) each.addCatch(tellWhy, into(ofRun.failure));
  // What was caught first is what the run ends with, even if it could not be told; without a lease there is none to.
  tellWhy.addCatch(failed, into(ofRun.untold)).next(failed);
  claim.addCatch(failed, into(ofRun.failure));
  return claim.next(isItOurs(backup, done));
}
