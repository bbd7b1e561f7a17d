import { CfnOutput, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { RetainPolicy } from '../lambdas/retain-node/contract.ts';
import { allow } from './grants.ts';
import { RetentionSteps } from './steps/retention-steps.ts';
import type { Storage } from './storage.ts';
import { RetentionWorkflow } from './workflows/retention-workflow.ts';

/** Retention of a whole vault, every hour: so that the quota has room again before the next run asks for it. */
export class Retention extends Construct {
  readonly steps: RetentionSteps;
  readonly workflow: RetentionWorkflow;

  constructor(scope: Construct, id: string, storage: Storage, policy: RetainPolicy) {
    super(scope, id);
    this.steps = new RetentionSteps(this, 'Steps', storage, policy);
    this.workflow = new RetentionWorkflow(this, 'Workflow', this.steps);
    const { stateMachineArn } = this.workflow.stateMachine;
    new CfnSchedule(this, 'Schedule', {
      description: `Ledgerhold: retention of ${storage.network}`,
      scheduleExpression: 'rate(1 hour)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        ...{ arn: stateMachineArn, roleArn: starter(this, stateMachineArn).roleArn, input: '{}' },
        // A start that is lost is made up for by the next one.
        retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 1800 },
      },
    });
    new CfnOutput(this, 'Arn', { value: stateMachineArn });
  }
}

function starter(scope: Construct, stateMachineArn: string): Role {
  const role = new Role(scope, 'ScheduleRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  });
  allow(role, {
    because: 'The schedule starts retention.',
    actions: ['states:StartExecution'],
    resources: [stateMachineArn],
  });
  return role;
}
