import { Duration } from 'aws-cdk-lib';
import { type Chain, type StateMachine, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { NodeName } from '../../core/names.ts';
import type { OutputsOf } from '../../core/step.ts';
import { state } from '../state-ref.ts';
import type { RetentionSteps } from '../steps/retention-steps.ts';
import { forEach, into, SHORTLY, tracedStateMachine, UNTHROTTLED } from './parts.ts';

type ListNodesStep = RetentionSteps['listNodes']['step'];

interface NodeState {
  readonly node: NodeName;
  readonly failure: { readonly Error: string; readonly Cause: string };
}

const ofRun = state<OutputsOf<ListNodesStep>>();
const ofNode = state<NodeState>();

/** Each lists the account's snapshots, and RDS allows an account but a few such calls in a second. */
const NODES_AT_ONCE = 4;

/** It starts every hour, and what it does may be repeated and broken off: so it ends when the next begins. */
const LONGEST_RUN = Duration.hours(1);

/** What no rule keeps goes, of one node as of another: one whose chain is in doubt keeps all, and holds up nobody. */
export class RetentionWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, steps: RetentionSteps) {
    super(scope, id);
    this.stateMachine = tracedStateMachine(this, { flow: flow(this, steps), steps: steps.all, timeout: LONGEST_RUN });
  }
}

function flow(scope: Construct, steps: RetentionSteps): Chain {
  const list = steps.listNodes.task('List the nodes', { input: {}, retries: [SHORTLY] });
  const retain = steps.retainNode.task('Retain', { input: { node: ofNode.node }, retries: [SHORTLY, UNTHROTTLED] });
  // The errors of this Lambda are an alarm's metric, so that none is lost here.
  retain.addCatch(new Succeed(scope, 'Left to the next hour'), into(ofNode.failure));
  const ofEach = { items: ofRun.listNodes.nodes, as: 'node', atOnce: NODES_AT_ONCE, body: retain } as const;
  return list.next(forEach(scope, 'Node by node', ofEach)).next(new Succeed(scope, 'Done'));
}
