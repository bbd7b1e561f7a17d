import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { promote } from '../../aws/secrets-store.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { promoteIdentities } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(promoteIdentities, run, (env) => {
  const client = new SecretsManagerClient();
  return { ...vaultPorts(env), promote: (version) => promote(client, version) };
});
