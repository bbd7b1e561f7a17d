import { s3Client } from '../../aws/s3-client.ts';
import { s3LargeCopy } from '../../aws/s3-large-copy.ts';
import { s3Vault } from '../../aws/s3-vault.ts';
import { serve } from '../serve.ts';
import { vaultOptions, vaultPorts } from '../vault-ports.ts';
import { copyVault } from './contract.ts';
import { run } from './run.ts';

/** Leaves the last object of a turn as long as an object that a turn begins with may take, but for a few minutes. */
const TURN = 5 * 60_000;

export const handler = serve(copyVault, run, (env, journal) => {
  const { vault, clock } = vaultPorts(env);
  const first = vaultOptions(env);
  const second = {
    // Locked as the first one is, from the moment of the copy.
    ...first,
    client: s3Client({ region: env.SECOND_REGION }),
    ...{ bucket: env.SECOND_BUCKET, prefix: env.SECOND_PREFIX, account: env.SECOND_ACCOUNT },
  };
  const large = s3LargeCopy(first, second);
  return { ...{ vault, clock, journal, large, turn: TURN }, second: s3Vault(second) };
});
