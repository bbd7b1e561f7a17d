import { Annotations, type App, CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Config } from '../config/schema.ts';
import { stackName } from '../core/deployed-names.ts';
import { backupProps, type GroupProps } from './backup-props.ts';
import { ChainBackup, type ChainBackupProps } from './chain-backup.ts';
import { chainNodes } from './chain-nodes.ts';
import { DeliveryStack, hasMembers } from './delivery-stack.ts';
import { LedgerBackup, type LedgerBackupProps } from './ledger-backup.ts';
import { endpointsOf, endpointsOfChain } from './private-network.ts';

/** The backup of one group of the nodes that a config describes; the first one holds the vault. */
export class BackupStack extends Stack {
  readonly backup: LedgerBackup;

  constructor(app: App, config: Config, props: GroupProps, ofFirst: Pick<LedgerBackupProps, 'storage' | 'watch'> = {}) {
    const { network, group } = props;
    super(app, stackName(network, { group }), {
      description: `Ledgerhold: backup of ${network}`,
      terminationProtection: true,
      ...environmentOf(config),
    });
    const tags = { ...config.aws?.tags, network, 'managed-by': 'ledgerhold' };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    const members = hasMembers(config);
    this.backup = new LedgerBackup(this, 'LedgerBackup', { ...props, ...ofFirst, members });
    this.#tellWhatIsNeeded(props);
    if (group === 1) this.#tellWhatIsLeftOut(config);
  }

  /** Where these would be deployed only `aws` says, and so nothing is made of them without it. */
  #tellWhatIsLeftOut(config: Config): void {
    if (config.aws !== undefined) return;
    const { account, endpoint } = config.secondVault?.s3 ?? {};
    const left = [
      ...(account === undefined || endpoint !== undefined ? [] : ['second vault']),
      ...(hasMembers(config) ? ['API of members'] : []),
    ];
    if (left.length === 0) return;
    const text = `the config has no \`aws\`, and so this makes no ${left.join(' and no ')}: write \`aws: { account, region }\``;
    Annotations.of(this).addWarningV2('ledgerhold:without-aws', text);
  }

  #tellWhatIsNeeded({ captures, vpc, fargate = {} }: GroupProps): void {
    const endpoints = endpointsOf(this.region, Object.keys(fargate).length > 0);
    if (vpc !== undefined) new CfnOutput(this, 'Endpoints', { value: endpoints.join(', ') });
    for (const [node, components] of Object.entries(captures)) {
      const elsewhere = Object.keys(components).filter((name) => 'elsewhere' in (components[name] ?? {}));
      if (elsewhere.length === 0) continue;
      const text = `no Lambda can capture ${elsewhere.join(', ')} of ${node}: a run of that node here fails and says so`;
      Annotations.of(this).addWarningV2('ledgerhold:elsewhere', text);
    }
  }
}

/** A small network is one stack; a larger one has a stack for each further group of nodes, each chain, and the deliveries, and one vault. */
export function backupStacks(
  app: App,
  config: Config,
): readonly [BackupStack, ...(BackupStack | ChainStack | DeliveryStack)[]] {
  const [first, ...others] = backupProps(config);
  const main = new BackupStack(app, config, first);
  const { storage, watch } = main.backup;
  const groups = others.map((props) => new BackupStack(app, config, props, { storage, watch }));
  const members = hasMembers(config);
  const chains = chainNodes(config).map(
    (chain, n) => new ChainStack(app, config, { chain, storage, watch, group: others.length + 2 + n, members }),
  );
  const deliveries = !members ? [] : [new DeliveryStack(app, config, { storage, watch })];
  return [main, ...groups, ...chains, ...deliveries];
}

/** One chain of the network, in a stack of its own: it comes and goes by itself. */
export class ChainStack extends Stack {
  readonly chain: ChainBackup;

  constructor(app: App, config: Config, props: Omit<ChainBackupProps, 'network' | 'timeZone'>) {
    const { network, timeZone, aws } = config;
    const { node } = props.chain;
    super(app, stackName(network, { chain: node }), {
      description: `Ledgerhold: the chain ${node} of ${network}`,
      terminationProtection: true,
      ...environmentOf(config),
    });
    for (const [key, value] of Object.entries({ ...aws?.tags, network, 'managed-by': 'ledgerhold' }))
      Tags.of(this).add(key, value);
    this.chain = new ChainBackup(this, 'ChainBackup', { ...props, network, timeZone });
    const endpoints = endpointsOfChain(this.region, props.members === true);
    if (props.chain.vpc !== undefined) new CfnOutput(this, 'Endpoints', { value: endpoints.join(', ') });
  }
}

export const environmentOf = ({ aws }: Config): StackProps =>
  aws === undefined ? {} : { env: { account: aws.account, region: aws.region } };
