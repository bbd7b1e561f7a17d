import { CfnOutput } from 'aws-cdk-lib';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ChainSettings, TICK_SECONDS } from '../core/chain-settings.ts';
import { chainMachineName, deliveryMachineName } from '../core/deployed-names.ts';
import { ComponentName, type NetworkName } from '../core/names.ts';
import { DAY_SECONDS } from '../core/schedule.ts';
import type { WatchedNode } from '../lambdas/watchdog/contract.ts';
import { Alarms } from './alarms.ts';
import type { ChainNodeProps } from './chain-nodes.ts';
import { chainReach } from './chain-reach.ts';
import { stateMachineArnOf } from './machine-arn.ts';
import { Schedules } from './schedules.ts';
import { ChainSteps } from './steps/chain-steps.ts';
import type { Storage } from './storage.ts';
import type { Watch } from './watch.ts';
import { ChainWorkflow } from './workflows/chain-workflow.ts';

export interface ChainBackupProps {
  readonly network: NetworkName;
  readonly chain: ChainNodeProps;
  /** The vault and what watches it, of the network's `LedgerBackup`. */
  readonly storage: Storage;
  readonly watch: Watch;
  /** The number of its group of watched nodes: one that no other group of the network has. */
  readonly group: number;
  /** Whether the network has members that the history is delivered to. Default: no. */
  readonly members?: boolean;
  /** Name of the IANA database; days and hours are counted in it. Default: UTC. */
  readonly timeZone?: string;
}

/** The history of one chain: its steps, its state machine, the schedule that starts it, and its alarms. */
export class ChainBackup extends Construct {
  readonly steps: ChainSteps;
  readonly stateMachine: StateMachine;
  readonly schedules: Schedules;
  readonly alarms: Alarms;

  constructor(scope: Construct, id: string, props: ChainBackupProps) {
    super(scope, id);
    const { network, chain, storage, watch, group, members = false, timeZone = 'UTC' } = props;
    const deliveries = members ? stateMachineArnOf(this, deliveryMachineName(network)) : undefined;
    const { node, protocol, everySeconds, enabled, vpc } = chain;
    const initial = ChainSettings.parse({ enabled, timesADay: DAY_SECONDS / everySeconds });
    const reach = chainReach(node, chain.chain, vpc);
    this.steps = new ChainSteps(this, 'Steps', storage, reach, { tick: { ...initial, timeZone }, deliveries });
    this.stateMachine = new ChainWorkflow(this, 'Chain', this.steps, chainMachineName(network, node)).stateMachine;
    // How often it is backed up lies in the vault, and changes without a deployment: its first step goes by that.
    const scheduled = [{ run: { network, node, protocol }, everySeconds: TICK_SECONDS, enabled: true }];
    this.schedules = new Schedules(this, 'Schedules', {
      ...{ stateMachine: this.stateMachine, nodes: scheduled, timeZone },
    });
    const components = [ComponentName.parse('chain')];
    const watched: WatchedNode = { node, everySeconds, timeZone, components, chain: initial, credentials: [] };
    const nodes = [watched];
    watch.watchdog.expect({ group, nodes, snapshots: false, ofNetwork: false });
    this.alarms = new Alarms(this, 'Alarms', {
      ...{ network, topics: watch.topics, nodes, deadLetters: this.schedules.deadLetters, part: [node] },
      workflow: { stateMachine: this.stateMachine, failRun: this.steps.failRun.lambda },
    });
    new CfnOutput(this, 'ChainArn', { value: this.stateMachine.stateMachineArn });
  }
}
