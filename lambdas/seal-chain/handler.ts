import { KMSClient } from '@aws-sdk/client-kms';
import { executionsOfMachine } from '../../aws/executions.ts';
import { kmsSigner } from '../../aws/kms-signer.ts';
import { chainsOf } from '../chain-reach.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { sealChain } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(sealChain, run, (env, journal) => ({
  ...{ ...vaultPorts(env), journal },
  signer: kmsSigner(new KMSClient(), env.SIGNING_KEY),
  chainOf: chainsOf(env),
  ...(env.DELIVERIES !== '' && { deliveries: executionsOfMachine(env.DELIVERIES) }),
}));
