import { Duration } from 'aws-cdk-lib';
import { type IChainable, type StateMachine, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { MemberId } from '../../core/members.ts';
import type { OutputsOf } from '../../core/step.ts';
import { isTrue, state } from '../state-ref.ts';
import type { DeliverMember } from '../steps/deliver-member.ts';
import { SHORTLY, tracedStateMachine, whether } from './parts.ts';

export interface MemberSteps {
  readonly deliverMember: DeliverMember;
}

interface RunState extends OutputsOf<DeliverMember['step']> {
  readonly member: MemberId;
}

const ofRun = state<RunState>();

/** A day of turns of nine minutes leaves some 1,500 of the 25,000 events; what is left then the next one goes on with. */
const LONGEST_RUN = Duration.hours(24);

/** Turn after turn, until one member has all that the history lists, or its store fails or refuses. */
export class MemberWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, steps: MemberSteps, stateMachineName?: string) {
    super(scope, id);
    this.stateMachine = tracedStateMachine(this, {
      ...{ flow: flow(this, steps), steps: [steps.deliverMember] },
      ...{ timeout: LONGEST_RUN, stateMachineName },
    });
  }
}

function flow(scope: Construct, { deliverMember }: MemberSteps): IChainable {
  const { member, deliverMember: delivered } = ofRun;
  const deliver = deliverMember.task('Deliver what it lacks', { input: { member }, retries: [SHORTLY] });
  const isThereMore = whether(scope, 'Is there more?', isTrue(delivered.more));
  return deliver.next(isThereMore(deliver, new Succeed(scope, 'Done')));
}
