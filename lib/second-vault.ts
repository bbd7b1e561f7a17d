import { CfnOutput, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { allow } from './grants.ts';
import type { SecondPlace } from './second-vault-place.ts';
import { CopySnapshots } from './steps/copy-snapshots.ts';
import { CopyVault } from './steps/copy-vault.ts';
import type { Storage } from './storage.ts';
import { SecondVaultWorkflow } from './workflows/second-vault-workflow.ts';

export interface SecondVaultProps {
  readonly storage: Storage;
  readonly place: SecondPlace;
}

/** Fills the second vault from the first, every hour, until it has everything. */
export class SecondVault extends Construct {
  readonly copyVault: CopyVault;
  readonly copySnapshots: CopySnapshots;
  readonly workflow: SecondVaultWorkflow;
  readonly role: Role;

  constructor(scope: Construct, id: string, { storage, place }: SecondVaultProps) {
    super(scope, id);
    this.copyVault = new CopyVault(this, storage, place);
    this.copySnapshots = new CopySnapshots(this, storage, place);
    this.workflow = new SecondVaultWorkflow(this, 'Workflow', this);
    this.role = this.#start(storage.network);
    new CfnOutput(this, 'Arn', { value: this.workflow.stateMachine.stateMachineArn });
  }

  /** Its steps, all of them. */
  get all() {
    return [this.copyVault, this.copySnapshots];
  }

  #start(network: string): Role {
    const { stateMachineArn: arn } = this.workflow.stateMachine;
    const { account } = Stack.of(this);
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    });
    allow(role, { because: 'The schedule starts the copy.', actions: ['states:StartExecution'], resources: [arn] });
    new CfnSchedule(this, 'Schedule', {
      description: `Ledgerhold: second vault of ${network}`,
      scheduleExpression: 'rate(1 hour)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        ...{ arn, roleArn: role.roleArn, input: '{}' },
        // A start that is lost is made up for by the next one, and an alarm counts what has ended well.
        retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 1800 },
      },
    });
    return role;
  }
}
