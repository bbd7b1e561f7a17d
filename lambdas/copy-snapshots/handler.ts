import { assumedRole, stsClient } from '../../aws/assumed-role.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { s3Client } from '../../aws/s3-client.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import { rdsCopier } from '../../aws/snapshot-copier.ts';
import { serve } from '../serve.ts';
import { vaultOptions, vaultPorts } from '../vault-ports.ts';
import { copySnapshots } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(copySnapshots, run, (env, journal) => {
  const { vault, clock } = vaultPorts(env);
  const { SECOND_BUCKET: bucket, SECOND_PREFIX: prefix, SECOND_ACCOUNT: account, SECOND_REGION: region } = env;
  const second = s3Vault({ ...vaultOptions(env), client: s3Client({ region }), bucket, prefix, account });
  const credentials = assumedRole(stsClient(), env.SECOND_ROLE, 'ledgerhold-second-vault');
  const copier = rdsCopier({
    ...{ here: rdsClient(), there: rdsClient(region, credentials), key: env.SECOND_KEY },
    shareWith: account === env.VAULT_ACCOUNT ? undefined : account,
  });
  return { vault, second, copier, clock, journal };
});
