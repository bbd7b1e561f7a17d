import { KMSClient } from '@aws-sdk/client-kms';
import { defaultKeyOf } from '../../aws/kms-default-key.ts';
import { rdsClient } from '../../aws/rds-client.ts';
import { usableSource } from '../../aws/rds-source.ts';
import { snapshotQuotas } from '../../aws/snapshot-quotas.ts';
import { serve } from '../serve.ts';
import { preflight, SnapshotsByNode } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(preflight, run, ({ SNAPSHOTS, COPIED_ELSEWHERE }) => {
  const sources = new Map(Object.entries(SnapshotsByNode.parse(JSON.parse(SNAPSHOTS))));
  const rds = rdsClient();
  const reach = { rds, ...(COPIED_ELSEWHERE === 'yes' && { isDefaultKey: defaultKeyOf(new KMSClient()) }) };
  return {
    sourcesOf: (node) => sources.get(node) ?? [],
    look: (kind, id) => usableSource(kind, id, reach),
    quotas: () => snapshotQuotas(rds),
  };
});
