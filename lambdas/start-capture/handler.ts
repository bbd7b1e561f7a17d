import { ECSClient } from '@aws-sdk/client-ecs';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { deployedCaptures } from '../../aws/deployed-captures.ts';
import { defaultKeyOf } from '../../aws/kms-default-key.ts';
import { kmsEnvelope } from '../../aws/kms-envelope.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { CaptureSources, DumpPlaces } from '../../core/capture-sources.ts';
import { orderingNamed } from '../../protocols/orderings.ts';
import { attestedEnds } from '../capture-ends.ts';
import { serve } from '../serve.ts';
import { vaultPorts } from '../vault-ports.ts';
import { startCapture } from './contract.ts';
import { run } from './run.ts';
import { deployedSource } from './take.ts';

export const handler = serve(startCapture, run, (env) => {
  const ports = vaultPorts(env);
  const sources = CaptureSources.parse(JSON.parse(env.CAPTURES));
  const places = DumpPlaces.parse(JSON.parse(env.DUMP_PLACES));
  const kms = new KMSClient();
  const ecs = new ECSClient();
  const reach = {
    ...{ ...ports, rds: rdsClient(), ecs, encryption: kmsEnvelope(kms, env.ENVELOPE_KEY) },
    secrets: new SecretsManagerClient(),
    // Snapshots that stay here may have any key; those that are copied to another account may not have RDS's own.
    ...(env.COPIED_ELSEWHERE === 'yes' && { isDefaultKey: defaultKeyOf(kms) }),
  };
  return {
    ...ports,
    protocolNamed: orderingNamed,
    captures: deployedCaptures({
      ends: attestedEnds(reach),
      sourceOf: (node, component) => deployedSource(sources[node]?.[component], { ...reach, place: places[node] }),
    }),
  };
});
