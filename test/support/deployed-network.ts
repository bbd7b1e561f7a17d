import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { s3Vault } from '../../aws/s3-vault.ts';
import { Run } from '../../core/run.ts';
import type { Vault } from '../../core/vault.ts';
import { type DeployedApp, deployedApp, type Ended, execute } from './deployed-app.ts';
import { ACCOUNT, type Ministack, REGION, startMinistack } from './ministack.ts';

const CONFIG = `
network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./signing-key.pem }
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
export const runAt = (slot: string): Run =>
  Run.parse({
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
  readonly run: (input: unknown) => Promise<Ended>;
}

export async function deployNetwork(
  python: string,
  options: { readonly enforced?: boolean } = {},
): Promise<DeployedNetwork> {
  const ministack = await startMinistack(python, options);
  const app = await deployedApp(ministack, CONFIG);
  await app.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`);
  await app.cdk('deploy', '--require-approval', 'never');
  const s3 = new S3Client({ ...ministack.connection, forcePathStyle: true });
  const [sfn, kms] = [new SFNClient(ministack.connection), new KMSClient(ministack.connection)];
  const [bucket = '', prefix = ''] = (await app.output('Vault')).replace('s3://', '').split('/');
  const backup = await app.output('BackupArn');
  return {
    ...{ ministack, app, bucket, s3, kms },
    vault: s3Vault({ client: s3, bucket, prefix }),
    run: (input) => execute(sfn, backup, input),
    [Symbol.asyncDispose]: async () => {
      for (const client of [s3, sfn, kms]) client.destroy();
      await ministack.stop();
    },
  };
}
