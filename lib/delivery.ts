import { CfnOutput, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { deliveryMachineName, memberMachineName } from '../core/deployed-names.ts';
import type { MemberAccounts } from '../core/member-list.ts';
import { Alarms } from './alarms.ts';
import { deliveryRole, deliveryRoleArn } from './delivery-role.ts';
import { allow } from './grants.ts';
import { stateMachineArnOf } from './machine-arn.ts';
import { DeliverMember } from './steps/deliver-member.ts';
import { ListMembers } from './steps/list-members.ts';
import { StartDeliveries } from './steps/start-deliveries.ts';
import type { Storage } from './storage.ts';
import type { Watch } from './watch.ts';
import { DeliveryWorkflow } from './workflows/delivery-workflow.ts';
import { MemberWorkflow } from './workflows/member-workflow.ts';

export interface DeliveryProps {
  readonly storage: Storage;
  readonly watch: Watch;
  /** The network's list: by member the account whose buckets may be delivered to. */
  readonly accounts: MemberAccounts;
}

/** Brings every member's bucket what the histories have and it has not: every hour, and when something says so. */
export class Delivery extends Construct {
  readonly listMembers: ListMembers;
  readonly startDeliveries: StartDeliveries;
  readonly deliverMember: DeliverMember;
  readonly workflow: DeliveryWorkflow;
  readonly ofMember: MemberWorkflow;
  /** The one that members let in. */
  readonly role: Role;
  readonly alarms: Alarms;

  constructor(scope: Construct, id: string, { storage, watch, accounts }: DeliveryProps) {
    super(scope, id);
    const { network } = storage;
    const memberMachine = stateMachineArnOf(this, memberMachineName(network));
    this.listMembers = new ListMembers(this, storage, memberMachine);
    this.startDeliveries = new StartDeliveries(this, memberMachine);
    const roleArn = deliveryRoleArn(this, network);
    this.deliverMember = new DeliverMember(this, { storage, deliveryRoleArn: roleArn, list: { members: accounts } });
    this.role = deliveryRole(this, storage, accounts, this.deliverMember.role);
    this.workflow = new DeliveryWorkflow(this, 'Deliveries', this, deliveryMachineName(network));
    this.ofMember = new MemberWorkflow(this, 'Member', this, memberMachineName(network));
    this.#everyHour(network);
    const members = { network };
    this.alarms = new Alarms(this, 'Alarms', { ...members, topics: watch.topics, nodes: [], members: true });
    new CfnOutput(this, 'Arn', { value: this.workflow.stateMachine.stateMachineArn });
    new CfnOutput(this, 'RoleArn', { value: this.role.roleArn });
  }

  /** Its steps, all of them. */
  get all() {
    return [this.listMembers, this.startDeliveries, this.deliverMember];
  }

  #everyHour(network: string): void {
    const { stateMachineArn: arn } = this.workflow.stateMachine;
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    allow(role, { because: 'The schedule starts deliveries.', actions: ['states:StartExecution'], resources: [arn] });
    new CfnSchedule(this, 'Schedule', {
      description: `Ledgerhold: deliveries of ${network}`,
      scheduleExpression: 'rate(1 hour)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        ...{ arn, roleArn: role.roleArn, input: '{}' },
        // A start that is lost is made up for by the next one, and an alarm sees when none comes.
        retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 1800 },
      },
    });
  }
}
