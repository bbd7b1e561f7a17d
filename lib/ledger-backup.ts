import { CfnOutput } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { NetworkName } from '../core/names.ts';
import type { CaptureSources } from '../lambdas/start-capture/sources.ts';
import { BackupSteps } from './steps/backup-steps.ts';
import { Storage } from './storage.ts';
import { BackupWorkflow } from './workflows/backup-workflow.ts';

export interface LedgerBackupProps {
  /** What the vault's part in the bucket is called; lower-case letters, digits and hyphens, at most 40. */
  readonly network: NetworkName;
  /** By node and component, where state comes from. Names secrets by their ARNs and holds none. At most 3,500 bytes of JSON. */
  readonly captures: CaptureSources;
}

/**
 * The backup of one network on AWS: the vault, the steps, and the state machine that runs them in the one right order.
 * A run is started with `{ "run": … }` (`core/run.ts`); nothing here starts one by itself.
 */
export class LedgerBackup extends Construct {
  readonly storage: Storage;
  readonly steps: BackupSteps;
  readonly workflow: BackupWorkflow;

  constructor(scope: Construct, id: string, { network, captures }: LedgerBackupProps) {
    super(scope, id);
    this.storage = new Storage(this, 'Storage', network);
    this.steps = new BackupSteps(this, 'Steps', this.storage, captures);
    this.workflow = new BackupWorkflow(this, 'Backup', this.steps);
    new CfnOutput(this, 'Vault', { value: this.storage.bucket.s3UrlForObject(network) });
    new CfnOutput(this, 'BackupArn', { value: this.workflow.stateMachine.stateMachineArn });
  }
}
