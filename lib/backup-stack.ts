import { Annotations, type App, Stack } from 'aws-cdk-lib';
import type { Config } from '../config/schema.ts';
import { captureSources } from './capture-sources.ts';
import { LedgerBackup } from './ledger-backup.ts';

/** The backup of the network that a config describes. */
export class BackupStack extends Stack {
  constructor(app: App, config: Config) {
    super(app, `Ledgerhold-${config.network}`, {
      description: `Ledgerhold: backup of ${config.network}`,
      terminationProtection: true,
    });
    const captures = captureSources(config);
    new LedgerBackup(this, 'LedgerBackup', { network: config.network, captures });
    for (const [node, components] of Object.entries(captures)) {
      const elsewhere = Object.keys(components).filter((name) => 'elsewhere' in (components[name] ?? {}));
      if (elsewhere.length === 0) continue;
      const text = `no Lambda can capture ${elsewhere.join(', ')} of ${node}: a run of that node here fails and says so`;
      Annotations.of(this).addWarningV2('ledgerhold:elsewhere', text);
    }
  }
}
