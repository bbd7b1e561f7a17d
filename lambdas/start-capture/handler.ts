import { KMSClient } from '@aws-sdk/client-kms';
import { deployedCaptures } from '../../aws/deployed-captures.ts';
import { kmsEnvelope } from '../../aws/kms-envelope.ts';
import { orderingNamed } from '../../protocols/orderings.ts';
import { deployedEnds } from '../capture-ends.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { startCapture } from './contract.ts';
import { run } from './run.ts';
import { CaptureSources } from './sources.ts';
import { deployedSource } from './take.ts';

export const handler = serve(startCapture, run, (env) => {
  const ports = vaultPorts(env);
  const sources = CaptureSources.parse(JSON.parse(env.CAPTURES));
  const reach = { ...ports, encryption: kmsEnvelope(new KMSClient(), env.ENVELOPE_KEY) };
  return {
    ...ports,
    protocolNamed: orderingNamed,
    captures: deployedCaptures({
      ends: deployedEnds(),
      sourceOf: (node, component) => deployedSource(sources[node]?.[component], reach),
    }),
  };
});
