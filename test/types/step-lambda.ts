/**
 * What must not compile. `tsc --noEmit` reads this file and complains of each `@ts-expect-error` under which nothing is
 * wrong; `step-lambda.test.ts` takes them away and counts what the compiler then says.
 */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { PredecessorNotEnded } from '../../core/receipts.ts';
import type { Run } from '../../core/run.ts';
import type { OutputsOf } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';
import type { planWaves } from '../../lambdas/plan-waves/contract.ts';
import { pollCapture } from '../../lambdas/poll-capture/contract.ts';
import { executionId, state } from '../../lib/state-ref.ts';
import { StepLambda } from '../../lib/step-lambda.ts';
import type { BackupSteps } from '../../lib/steps/backup-steps.ts';

interface RunState extends OutputsOf<typeof planWaves | BackupSteps['claimSlot']['step']> {
  readonly run: Run;
}
declare const scope: Construct;
declare const steps: BackupSteps;

const { run, claimSlot } = state<RunState>();
const { fence } = claimSlot;
const holder = executionId;
const timeout = Duration.minutes(1);
const seconds = { interval: Duration.seconds(1), backoffRate: 2, maxAttempts: 3 };
const environment = { VAULT_BUCKET: 'b', VAULT_PREFIX: 'p', VAULT_ACCOUNT: '1' };

export const compiles = [
  () => new StepLambda(scope, 'Whole', { step: pollCapture, timeout, environment }),
  () => steps.claimSlot.task('Whole', { input: { run, holder }, retries: [{ on: [VaultUnavailable], ...seconds }] }),
  () => steps.planWaves.task('Whole', { input: { run, fence } }),
];

const { VAULT_ACCOUNT: _, ...incomplete } = environment;
export const missingVariable = () =>
  // @ts-expect-error VAULT_ACCOUNT is missing
  new StepLambda(scope, 'Incomplete', { step: pollCapture, timeout, environment: incomplete });

export const misspeltInput = () =>
  // @ts-expect-error `fense` is no field of the input
  steps.planWaves.task('Misspelt', { input: { run, fense: fence } });

export const unknownOutput = () =>
  // @ts-expect-error `claim-slot` has no output `fencing`
  steps.planWaves.task('Unknown', { input: { run, fence: claimSlot.fencing } });

export const wrongOutput = () =>
  // @ts-expect-error `set` is text and no fence
  steps.planWaves.task('Wrong', { input: { run, fence: claimSlot.set } });

export const unknownError = () =>
  // @ts-expect-error `claim-slot` never throws it
  steps.claimSlot.task('Never', { input: { run, holder }, retries: [{ on: [PredecessorNotEnded], ...seconds }] });

export const lookAlikeError = () =>
  steps.pollCapture.task('LookAlike', {
    input: { ticket: state(), handle: state() },
    // @ts-expect-error PredecessorNotEnded could stand for CaptureFailed, but its name is not in the contract
    retries: [{ on: [PredecessorNotEnded], ...seconds }],
  });
