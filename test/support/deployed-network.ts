import { KMSClient } from '@aws-sdk/client-kms';
import { CreateDBInstanceCommand, RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { s3Vault } from '../../aws/s3-vault.ts';
import { AskedRun } from '../../core/run.ts';
import type { Vault } from '../../core/vault.ts';
import { type DeployedApp, deployedApp, type Ended, execute } from './deployed-app.ts';
import { ACCOUNT, type Ministack, REGION, startMinistack } from './ministack.ts';

/** The stack of every config here. */
export const STACK = 'Ledgerhold-acme';

/** What each config has besides its nodes: the place, and what the stack does not read. */
export const COMMON = `
network: acme
aws: { account: '${ACCOUNT}', region: ${REGION} }
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
`;

const CONFIG = `${COMMON}
nodes:
  - name: synchronizer-1
    protocol: canton
    every: 4 hours
    components:
      participant: { rds: acme-participant }
      mediator: { rds: acme-mediator }
`;

const components = ['participant', 'mediator'].map((name) => ({ component: name, role: name }));

/** The input of a run of the one node that is deployed. */
export const runAt = (slot: string) =>
  AskedRun.parse({
    ...{ network: 'acme', node: 'synchronizer-1', protocol: 'canton', components, slot },
    ...{ reason: 'schedule', pollSeconds: 1, maxSpreadSeconds: 3600 },
  });

/** A network of two ordered databases, deployed from its config to an emulator of its own. */
export interface DeployedNetwork extends AsyncDisposable {
  readonly ministack: Ministack;
  readonly app: DeployedApp;
  readonly vault: Vault;
  readonly bucket: string;
  readonly s3: S3Client;
  readonly kms: KMSClient;
  readonly rds: RDSClient;
  readonly run: (input: unknown) => Promise<Ended>;
  /** One execution of the state machine that retention's schedule starts. */
  readonly retain: () => Promise<Ended>;
}

export interface NetworkOptions {
  readonly enforced?: boolean;
  /** Default: one node of two databases, every 4 hours. Called before anything is deployed. */
  readonly config?: (ministack: Ministack) => Promise<string>;
}

export async function deployNetwork(python: string, options: NetworkOptions = {}): Promise<DeployedNetwork> {
  const ministack = await startMinistack(python, options);
  const config = (await options.config?.(ministack)) ?? CONFIG;
  const app = await deployedApp(ministack, config, { 'ledgerhold:no-composite': 'true' });
  await app.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`);
  await app.cdk('deploy', '--require-approval', 'never');
  const s3 = new S3Client({ ...ministack.connection, forcePathStyle: true });
  const { connection } = ministack;
  const [sfn, kms, rds] = [new SFNClient(connection), new KMSClient(connection), new RDSClient(connection)];
  for (const name of ['acme-participant', 'acme-mediator']) await createDatabase(rds, name);
  const [bucket = '', prefix = ''] = (await app.output('Vault')).replace('s3://', '').split('/');
  const [backup, retention] = [await app.output('BackupArn'), await app.output('RetentionArn')];
  return {
    ...{ ministack, app, bucket, s3, kms, rds },
    vault: s3Vault({ client: s3, bucket, prefix }),
    run: (input) => execute(sfn, backup, input),
    retain: () => execute(sfn, retention, {}),
    [Symbol.asyncDispose]: async () => {
      for (const client of [s3, sfn, kms, rds]) client.destroy();
      await ministack.stop();
    },
  };
}

export const createDatabase = (rds: RDSClient, DBInstanceIdentifier: string) =>
  rds.send(
    new CreateDBInstanceCommand({
      ...{ DBInstanceIdentifier, DBInstanceClass: 'db.t4g.micro', AllocatedStorage: 20, StorageEncrypted: true },
      ...{ Engine: 'postgres', MasterUsername: 'canton', MasterUserPassword: 'a-password-of-this-test' },
    }),
  );
