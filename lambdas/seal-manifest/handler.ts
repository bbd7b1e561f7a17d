import { KMSClient } from '@aws-sdk/client-kms';
import { kmsSigner } from '../../aws/kms-signer.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { sealManifest } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(sealManifest, run, (env) => ({
  ...vaultPorts(env),
  signer: kmsSigner(new KMSClient(), env.SIGNING_KEY),
  protocolNamed,
}));
