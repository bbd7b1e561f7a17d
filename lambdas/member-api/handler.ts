import { executionsOfMachine } from '../../aws/executions.ts';
import { s3Downloads } from '../../aws/s3-downloads.ts';
import { NetworkName } from '../../core/names.ts';
import { listBeside } from '../list-beside.ts';
import { serve } from '../serve.ts';
import { vaultOptions, vaultPorts } from '../vault-ports.ts';
import { ApiList, memberApi } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(memberApi, run, (env, journal) => ({
  ...{ ...vaultPorts(env), journal, network: NetworkName.parse(env.VAULT_PREFIX) },
  ...{ operator: env.VAULT_ACCOUNT, vaultBucket: env.VAULT_BUCKET },
  downloads: s3Downloads(vaultOptions(env)),
  deliveries: executionsOfMachine(env.DELIVERIES),
  ...listBeside(import.meta.dirname, ApiList),
}));
