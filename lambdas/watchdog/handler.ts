import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { keyFault } from '../../aws/key-states.ts';
import { kmsSigner } from '../../aws/kms-signer.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { secretState } from '../../aws/secret-states.ts';
import { snapshotQuotaUsed, snapshotShelf } from '../../aws/snapshot-shelf.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { emfGauges } from '../emf-gauges.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { watchdog } from './contract.ts';
import { run } from './run.ts';

/** None may hold up the turn: the next one comes in 5 minutes. Times in milliseconds. */
const LIMITS = { requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000, throwOnRequestTimeout: true } };

export const handler = serve(watchdog, run, (env, journal) => {
  const [kms, rds, secrets] = [new KMSClient(LIMITS), rdsClient(), new SecretsManagerClient(LIMITS)];
  return {
    ...{ ...vaultPorts(env), journal, protocolNamed },
    gauges: emfGauges(),
    publicKeyPem: kmsSigner(kms, env.SIGNING_KEY).publicKeyPem,
    keys: [env.SIGNING_KEY, env.ENVELOPE_KEY, env.BUCKET_KEY],
    keyFault: (arn) => keyFault(kms, arn),
    secretState: (arn) => secretState(secrets, arn),
    snapshotShelf: (prefix) => snapshotShelf(rds, prefix),
    snapshotQuotaUsed: () => snapshotQuotaUsed(rds),
    heads: new Map<string, number>(),
  };
});
