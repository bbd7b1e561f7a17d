import { Stack, TimeZone, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ContextAttribute,
  type IScheduleTarget,
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
  TimeWindow,
} from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { cronOf } from '../core/cron.ts';
import { allow } from './grants.ts';

/** A node whose runs are started; `run` is all of a run but what tells one from another. */
export interface ScheduledNode {
  readonly run: { readonly network: string; readonly node: string };
  readonly everySeconds: number;
  readonly enabled: boolean;
}

export interface SchedulesProps {
  readonly stateMachine: StateMachine;
  readonly nodes: readonly ScheduledNode[];
  /** Of the IANA database; days and hours are counted in it. */
  readonly timeZone: string;
}

/**
 * A start that EventBridge could not make is tried again for an hour: one of the past has less to say than the next.
 * 185 is the most that it allows; the hour ends first.
 */
const RETRY = { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 185 } as const;

/** One schedule a node. What could not be started within an hour lies in the queue of dead letters. */
export class Schedules extends Construct {
  readonly deadLetters: Queue;
  readonly all: readonly Schedule[];
  readonly role: Role;

  constructor(scope: Construct, id: string, { stateMachine, nodes, timeZone }: SchedulesProps) {
    super(scope, id);
    this.deadLetters = deadLetters(this);
    this.role = starter(this, stateMachine, this.deadLetters);
    this.all = nodes.map(
      ({ run, everySeconds, enabled }) =>
        new Schedule(this, run.node, {
          description: `Ledgerhold: backup of ${run.node} in ${run.network}`,
          schedule: expression(everySeconds, timeZone),
          target: this.#start(stateMachine, { ...run, slot: ContextAttribute.scheduledTime, reason: 'schedule' }),
          // The slot is the instant; a run at another one would be late for nothing.
          timeWindow: TimeWindow.off(),
          enabled,
        }),
    );
  }

  #start({ stateMachineArn }: StateMachine, run: object): IScheduleTarget {
    return {
      bind: () => ({
        arn: stateMachineArn,
        role: this.role,
        input: ScheduleTargetInput.fromObject({ run }),
        retryPolicy: RETRY,
        deadLetterConfig: { arn: this.deadLetters.queueArn },
      }),
    };
  }
}

function expression(everySeconds: number, timeZone: string): ScheduleExpression {
  const { minute, hour, day, weekDay } = cronOf(everySeconds);
  return ScheduleExpression.expression(`cron(${minute} ${hour} ${day} * ${weekDay} *)`, TimeZone.of(timeZone));
}

function deadLetters(scope: Construct): Queue {
  const queue = new Queue(scope, 'DeadLetters', { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true });
  const reason = 'It is the queue of dead letters; nothing takes from it but a person.';
  Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason });
  return queue;
}

/** The role that EventBridge starts runs with; it may do nothing else, and nobody else's schedules may take it on. */
function starter(scope: Construct, { stateMachineArn }: StateMachine, { queueArn }: Queue): Role {
  const { account, region, partition } = Stack.of(scope);
  const group = `arn:${partition}:scheduler:${region}:${account}:schedule-group/default`;
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': group } },
    }),
  });
  allow(role, {
    because: 'It starts the runs that are due.',
    actions: ['states:StartExecution'],
    resources: [stateMachineArn],
  });
  allow(role, {
    because: 'What could not be started within an hour is put where an alarm sees it.',
    actions: ['sqs:SendMessage'],
    resources: [queueArn],
  });
  return role;
}
