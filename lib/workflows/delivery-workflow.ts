import { Duration } from 'aws-cdk-lib';
import { type IChainable, type StateMachine, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { StepFunctionsUnavailable } from '../../core/executions.ts';
import type { MemberId } from '../../core/members.ts';
import type { OutputsOf } from '../../core/step.ts';
import { isTrue, state } from '../state-ref.ts';
import type { ListMembers } from '../steps/list-members.ts';
import type { StartDeliveries } from '../steps/start-deliveries.ts';
import { forEach, SHORTLY, tracedStateMachine, whether } from './parts.ts';

export interface DeliverySteps {
  readonly listMembers: ListMembers;
  readonly startDeliveries: StartDeliveries;
}

interface PageState {
  readonly page: MemberId[];
}

const ofRun = state<OutputsOf<ListMembers['step']>>();
const ofPage = state<PageState>();

/** Forty starts each: Step Functions lets an account begin with 1,300 at once, and then 300 a second. */
const PAGES_AT_ONCE = 4;

/** 1 + 2 + 4 + 8 + 16 = 31 s at most, in which a throttled account gets its rate back. */
const THROTTLED = {
  on: [StepFunctionsUnavailable],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 5,
} as const;

/** The next one begins with the next hour. */
const LONGEST_RUN = Duration.hours(1);

/** Looks which members lack something, and starts a delivery to each: none waits for another. */
export class DeliveryWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, steps: DeliverySteps, stateMachineName?: string) {
    super(scope, id);
    this.stateMachine = tracedStateMachine(this, {
      ...{ flow: flow(this, steps), steps: [steps.listMembers, steps.startDeliveries] },
      ...{ timeout: LONGEST_RUN, stateMachineName },
    });
  }
}

function flow(scope: Construct, steps: DeliverySteps): IChainable {
  const list = steps.listMembers.task('Look who lacks something', { input: {}, retries: [SHORTLY] });
  const start = steps.startDeliveries.task('Start their deliveries', {
    input: { page: ofPage.page },
    retries: [THROTTLED],
  });
  const ofEach = { items: ofRun.listMembers.pages, as: 'page', atOnce: PAGES_AT_ONCE, body: start } as const;
  const isThereMore = whether(scope, 'Are there others?', isTrue(ofRun.listMembers.more));
  return list.next(forEach(scope, 'Page by page', ofEach)).next(isThereMore(list, new Succeed(scope, 'Done')));
}
