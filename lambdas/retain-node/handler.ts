import { KMSClient } from '@aws-sdk/client-kms';
import { RDSClient } from '@aws-sdk/client-rds';
import { kmsSigner } from '../../aws/kms-signer.ts';
import { s3Janitor } from '../../aws/s3-vault.ts';
import { snapshotJanitor } from '../../aws/snapshot-janitor.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { serve } from '../serve.ts';
import { vaultOptions, vaultPorts } from '../vault-ports.ts';
import { RetainPolicy, retainNode } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(retainNode, run, (env) => ({
  ...vaultPorts(env),
  janitor: s3Janitor(vaultOptions(env)),
  signer: kmsSigner(new KMSClient(), env.SIGNING_KEY),
  snapshots: snapshotJanitor(new RDSClient(), env.NETWORK),
  policy: RetainPolicy.parse(JSON.parse(env.RETENTION)),
  protocolNamed,
}));
