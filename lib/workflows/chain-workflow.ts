import { Duration } from 'aws-cdk-lib';
import { type Chain, type StateMachine, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type AskedChainRun, type BlockRange, type ChainRun, NodeUnavailable } from '../../core/chain.ts';
import type { Fence } from '../../core/names.ts';
import type { OutputsOf } from '../../core/step.ts';
import { equals, executionId, state } from '../state-ref.ts';
import type { ChainSteps } from '../steps/chain-steps.ts';
import { type Failure, failed, forEach, into, SHORTLY, tracedStateMachine, UNTHROTTLED, whether } from './parts.ts';

type Steps = { readonly [Name in Exclude<keyof ChainSteps, keyof Construct | 'all'>]: ChainSteps[Name]['step'] };

interface RunState extends OutputsOf<Steps['claimChainSlot' | 'agreeEnd' | 'planRanges' | 'sealChain']> {
  readonly run: AskedChainRun;
  readonly failure: Failure;
  readonly untold: Failure;
}
interface RangeState extends OutputsOf<Steps['exportRange']> {
  readonly range: BlockRange;
  readonly run: ChainRun;
  readonly fence: Fence;
}

const ofRun = state<RunState>();
const ofRange = state<RangeState>();

/** 10 + 20 + 40 + 60 + 60 + 60 = 250 s at most: a node that restarts answers again within minutes. */
const WHEN_IT_IS_BACK = {
  on: [NodeUnavailable],
  interval: Duration.seconds(10),
  backoffRate: 2,
  maxAttempts: 6,
  maxDelay: Duration.seconds(60),
} as const;

/** 200 files of 2 minutes each, which is a node at its limit, take 7 hours. */
const LONGEST_RUN = Duration.hours(12);

/** One run over a chain: an end agreed on, file after file exported to it, the history sealed. */
export class ChainWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, steps: ChainSteps, stateMachineName?: string) {
    super(scope, id);
    this.stateMachine = tracedStateMachine(this, {
      flow: flow(this, steps),
      steps: steps.all,
      timeout: LONGEST_RUN,
      stateMachineName,
    });
  }
}

function states(scope: Construct, steps: ChainSteps) {
  const { run: asked, claimChainSlot, planRanges, failure } = ofRun;
  const { run, fence } = claimChainSlot;
  const claimed = { input: { run, fence }, retries: [SHORTLY, WHEN_IT_IS_BACK] } as const;
  const exported = steps.exportRange.task('Export a file', {
    input: { run: ofRange.run, fence: ofRange.fence, range: ofRange.range },
    retries: [SHORTLY, WHEN_IT_IS_BACK],
  });
  return {
    claim: steps.claimChainSlot.task('Claim the slot', {
      input: { run: asked, holder: executionId },
      retries: [SHORTLY],
    }),
    isItOurs: whether(scope, 'Is it ours?', equals(claimChainSlot.outcome, 'taken')),
    agree: steps.agreeEnd.task('Agree on the end', claimed),
    plan: steps.planRanges.task('Plan the files', { input: { run, fence }, retries: [SHORTLY] }),
    // One after the other: a node has no more to give to two.
    files: forEach(scope, 'File after file', {
      ...{ items: planRanges.ranges, as: 'range', and: { run, fence }, atOnce: 1, body: exported },
    }),
    seal: steps.sealChain.task('Seal the history', { ...claimed, retries: [...claimed.retries, UNTHROTTLED] }),
    done: new Succeed(scope, 'Done'),
    tellWhy: steps.failRun.task('Tell why', { input: { run, fence, failure }, retries: [SHORTLY] }),
    end: failed(scope, failure),
  };
}

function flow(scope: Construct, steps: ChainSteps): Chain {
  const { claim, isItOurs, agree, plan, files, seal, done, tellWhy, end } = states(scope, steps);
  const backup = agree.next(plan).next(files).next(seal).next(done);
  for (const each of [agree, plan, files, seal]) each.addCatch(tellWhy, into(ofRun.failure));
  // What was caught first is what the run ends with, even if it could not be told; without a lease there is none to.
  tellWhy.addCatch(end, into(ofRun.untold)).next(end);
  claim.addCatch(end, into(ofRun.failure));
  return claim.next(isItOurs(backup, done));
}
