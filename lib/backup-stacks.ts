import { Annotations, type App, CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Config } from '../config/schema.ts';
import type { LockPolicy } from '../core/object-lock.ts';
import { listenersOf } from './alarm-topics.ts';
import { LedgerBackup, type LedgerBackupProps } from './ledger-backup.ts';
import { type NodeGroup, nodeGroups } from './node-groups.ts';
import { endpointsOf } from './private-network.ts';
import { hasSnapshots } from './watched-nodes.ts';

/** What the first group has for all of them, or knows of them. */
type OfNetwork = Pick<LedgerBackupProps, 'storage' | 'watch' | 'snapshots'>;

/** The backup of one group of the nodes that a config describes; the first one holds the vault. */
export class BackupStack extends Stack {
  readonly backup: LedgerBackup;

  constructor(app: App, config: Config, group: number, nodes: NodeGroup, ofNetwork: OfNetwork) {
    const { network, timeZone, retention = {} } = config;
    super(app, `Ledgerhold-${network}${group === 1 ? '' : `-${group}`}`, {
      description: `Ledgerhold: backup of ${network}`,
      terminationProtection: true,
      ...environmentOf(config),
    });
    const tags = { ...config.aws?.tags, network, 'managed-by': 'ledgerhold' };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    const lock = lockOf(config);
    const shared = {
      ...(lock && { lock }),
      network,
      timeZone,
      group,
      retention,
      listeners: listenersOf(config),
      ...ofNetwork,
    };
    this.backup = new LedgerBackup(this, 'LedgerBackup', { ...shared, ...nodes });
    this.#tellWhatIsNeeded(nodes);
  }

  #tellWhatIsNeeded({ captures, vpc }: NodeGroup): void {
    if (vpc !== undefined) new CfnOutput(this, 'Endpoints', { value: endpointsOf(this.region).join(', ') });
    for (const [node, components] of Object.entries(captures)) {
      const elsewhere = Object.keys(components).filter((name) => 'elsewhere' in (components[name] ?? {}));
      if (elsewhere.length === 0) continue;
      const text = `no Lambda can capture ${elsewhere.join(', ')} of ${node}: a run of that node here fails and says so`;
      Annotations.of(this).addWarningV2('ledgerhold:elsewhere', text);
    }
  }
}

/** A small network is one stack; a larger one has a stack for each further group of nodes, and one vault. */
export function backupStacks(app: App, config: Config): readonly BackupStack[] {
  const groups = nodeGroups(config);
  const [first = { nodes: [], captures: {}, vpc: undefined, fargate: {} }, ...others] = groups;
  const snapshots = groups.some(({ captures }) => hasSnapshots(captures));
  const main = new BackupStack(app, config, 1, first, { snapshots });
  const { storage, watch } = main.backup;
  return [main, ...others.map((nodes, index) => new BackupStack(app, config, index + 2, nodes, { storage, watch }))];
}

const environmentOf = ({ aws }: Config): StackProps =>
  aws === undefined ? {} : { env: { account: aws.account, region: aws.region } };

const lockOf = ({ aws }: Config): LockPolicy | undefined =>
  aws?.objectLock && {
    mode: aws.objectLock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
    recordDays: aws.objectLock.records,
    artifactDays: aws.objectLock.artifacts,
  };
