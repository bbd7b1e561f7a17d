import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { BackupNode } from '../config/backup-nodes.ts';
import type { FargateNode } from '../config/capture-sources.ts';
import type { VpcPlace } from '../config/nodes.ts';
import type { CaptureSources } from '../core/capture-sources.ts';
import { backupMachineName, groupPart } from '../core/deployed-names.ts';
import type { NetworkName } from '../core/names.ts';
import type { LockPolicy } from '../core/object-lock.ts';
import type { RetainPolicy } from '../lambdas/retain-node/contract.ts';
import type { WatchedNode } from '../lambdas/watchdog/contract.ts';
import type { Listeners } from './alarm-topics.ts';
import { Alarms } from './alarms.ts';
import { LedgerDashboard } from './dashboard.ts';
import { DumpTasks } from './dump-tasks.ts';
import { IdentitiesSecrets } from './identities-secrets.ts';
import { Retention } from './retention.ts';
import { Schedules } from './schedules.ts';
import { SecondVault } from './second-vault.ts';
import type { SecondPlace } from './second-vault-place.ts';
import { BackupSteps } from './steps/backup-steps.ts';
import { Storage } from './storage.ts';
import { Watch } from './watch.ts';
import { hasSnapshots, watchedNodes } from './watched-nodes.ts';
import { BackupWorkflow } from './workflows/backup-workflow.ts';

export interface LedgerBackupProps {
  /** What the vault's part in the bucket is called; lower-case letters, digits and single hyphens, at most 40. */
  readonly network: NetworkName;
  /** By node and component, where state comes from. Names secrets by their ARNs and holds none. At most 3,500 bytes of JSON. */
  readonly captures: CaptureSources;
  /** Nodes whose runs are scheduled, each at its own period in seconds. Default: none; runs are started by hand. */
  readonly nodes?: readonly BackupNode[];
  /** Name of the IANA database, such as Europe/Zurich; schedules count days and hours in it. Default: UTC. */
  readonly timeZone?: string;
  /** The private network that these nodes are reached from. Default: none; captures call public addresses only. */
  readonly vpc?: VpcPlace | undefined;
  /** The number of this group of the network's nodes, from 1. Default: 1. */
  readonly group?: number;
  /** The vault of the network's first group. Default: a vault of its own, which outlives the stack. */
  readonly storage?: Storage;
  /** How the vault's objects are locked. Default: governance, records for a year, artifacts for 14 days. */
  readonly lock?: LockPolicy;
  /** Who is told of alarms. Default: nobody. */
  readonly listeners?: Listeners;
  /** What watches the network's first group. Default: a watchdog, topics and a dashboard of its own. */
  readonly watch?: Watch;
  /** Whether any node of the network is captured by snapshots. Default: whether one of these is. */
  readonly snapshots?: boolean;
  /** How many sets to keep of each node. Default: all of them. */
  readonly retention?: RetainPolicy['keep'];
  /** By node: where and how large its dump tasks run. Default: none, and nothing of ECS is made. */
  readonly fargate?: Readonly<Record<string, FargateNode>>;
  /** Where the vault is copied to; its bucket is made by `SecondVaultStack`. Default: nowhere. */
  readonly secondVault?: SecondPlace | undefined;
  /** Whether snapshots are copied to the network's second vault. Default: whether `secondVault` is given. */
  readonly copiedElsewhere?: boolean;
  /** Whether files are delivered to members, by `DeliveryStack`: the dashboard then shows them. Default: false. */
  readonly members?: boolean;
}

/**
 * The backup of one network on AWS, or of one group of its nodes: the vault, the steps, the state machine that runs them
 * in the one right order, and the schedules that start it. A person starts a run with `{ "run": … }` (`core/run.ts`).
 */
export class LedgerBackup extends Construct {
  readonly storage: Storage;
  readonly identities: IdentitiesSecrets;
  /** Undefined where no node is configured for Fargate. */
  readonly dumps: DumpTasks | undefined;
  readonly steps: BackupSteps;
  readonly workflow: BackupWorkflow;
  readonly schedules: Schedules;
  readonly watch: Watch;
  readonly alarms: Alarms;
  /** Of the whole vault, and so where the vault is: undefined in a further group. */
  readonly retention: Retention | undefined;
  /** What fills the second vault, where the first one is. */
  readonly secondVault: SecondVault | undefined;

  constructor(scope: Construct, id: string, props: LedgerBackupProps) {
    super(scope, id);
    const { network, captures, nodes = [], timeZone = 'UTC', group = 1, vpc, fargate = {} } = props;
    this.storage = props.storage ?? new Storage(this, 'Storage', network, props.lock);
    this.identities = new IdentitiesSecrets(this, 'Identities', this.storage, captures);
    const places = { storage: this.storage, captures, fargate };
    this.dumps = Object.keys(fargate).length === 0 ? undefined : new DumpTasks(this, 'Dumps', places);
    const copiedElsewhere = props.copiedElsewhere ?? props.secondVault !== undefined;
    const steps = { captures, secrets: this.identities, vpc, dumps: this.dumps, copiedElsewhere };
    this.steps = new BackupSteps(this, 'Steps', this.storage, steps);
    this.workflow = new BackupWorkflow(this, 'Backup', this.steps, backupMachineName(network, group));
    const { stateMachine } = this.workflow;
    this.schedules = new Schedules(this, 'Schedules', { stateMachine, nodes, timeZone });
    const watched = watchedNodes(nodes, captures, timeZone);
    const snapshots = props.snapshots ?? hasSnapshots(captures);
    const first = props.watch === undefined;
    this.watch = props.watch ?? new Watch(this, 'Watch', { storage: this.storage, listeners: props.listeners ?? {} });
    const keys = this.identities.key === undefined ? [] : [this.identities.key.keyArn];
    this.watch.watchdog.expect({ group, nodes: watched, snapshots, ofNetwork: first, keys });
    const policy = { keep: props.retention ?? {}, timeZone };
    this.retention = props.storage === undefined ? new Retention(this, 'Retention', this.storage, policy) : undefined;
    const { secondVault: place } = props;
    this.secondVault =
      place === undefined ? undefined : new SecondVault(this, 'SecondVault', { storage: this.storage, place });
    this.alarms = new Alarms(this, 'Alarms', {
      ...{ network, topics: this.watch.topics, nodes: watched, deadLetters: this.schedules.deadLetters },
      workflow: { stateMachine, failRun: this.steps.failRun.lambda },
      secondVault: this.secondVault?.workflow.stateMachine,
      ...(this.retention && {
        ...{ retain: this.retention.steps.retainNode.lambda, retention: this.retention.workflow.stateMachine },
      }),
      ...(first ? { ofNetwork: { snapshots } } : { part: groupPart(group) }),
    });
    if (first) this.#show(watched, props.members ?? false);
    new CfnOutput(this, 'Vault', { value: this.storage.bucket.s3UrlForObject(network) });
    // Whoever verifies takes the public half from here, not from the vault.
    new CfnOutput(this, 'SigningKey', { value: this.storage.signingKey.keyArn });
    new CfnOutput(this, 'BackupArn', { value: stateMachine.stateMachineArn });
  }

  #show(nodes: readonly WatchedNode[], members: boolean): void {
    new LedgerDashboard(this, 'Dashboard', {
      ...{ network: this.storage.network, nodes, members, alarms: this.alarms.all },
      workflows: [this.workflow.stateMachine],
      logGroups: [...this.steps.all, this.watch.watchdog].map(({ lambda }) => lambda.logGroup),
    });
  }
}
