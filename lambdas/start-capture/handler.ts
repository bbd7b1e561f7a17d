import { KMSClient } from '@aws-sdk/client-kms';
import { kmsEnvelope } from '../../aws/kms-envelope.ts';
import { lambdaCaptures } from '../../aws/lambda-captures.ts';
import { orderingNamed } from '../../protocols/orderings.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { startCapture } from './contract.ts';
import { run } from './run.ts';
import { CaptureSources } from './sources.ts';
import { lambdaSource } from './take.ts';

export const handler = serve(startCapture, run, (env) => {
  const ports = vaultPorts(env);
  const sources = CaptureSources.parse(JSON.parse(env.CAPTURES));
  const sourceOf = (node: string, component: string) => lambdaSource(sources[node]?.[component], ports.clock);
  const encryption = kmsEnvelope(new KMSClient(), env.ENVELOPE_KEY);
  return {
    ...ports,
    protocolNamed: orderingNamed,
    captures: lambdaCaptures({ vault: ports.vault, encryption, sourceOf }),
  };
});
