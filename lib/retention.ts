import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { RetainPolicy } from '../lambdas/retain-node/contract.ts';
import { RetentionSteps } from './steps/retention-steps.ts';
import type { Storage } from './storage.ts';
import { RetentionWorkflow } from './workflows/retention-workflow.ts';

/** Retention of a whole vault. To be started every hour, with `{}` as input; a start more does no harm. */
export class Retention extends Construct {
  readonly steps: RetentionSteps;
  readonly workflow: RetentionWorkflow;

  constructor(scope: Construct, id: string, storage: Storage, policy: RetainPolicy) {
    super(scope, id);
    this.steps = new RetentionSteps(this, 'Steps', storage, policy);
    this.workflow = new RetentionWorkflow(this, 'Workflow', this.steps);
    new CfnOutput(this, 'Arn', { value: this.workflow.stateMachine.stateMachineArn });
  }
}
