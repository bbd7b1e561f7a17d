import { RDSClient } from '@aws-sdk/client-rds';
import { snapshotQuotas } from '../../aws/snapshot-quotas.ts';
import { serve } from '../serve.ts';
import { preflight, SnapshotsByNode } from './contract.ts';
import { run } from './run.ts';

export const handler = serve(preflight, run, ({ SNAPSHOTS }) => {
  const needs = new Map(Object.entries(SnapshotsByNode.parse(JSON.parse(SNAPSHOTS))));
  const client = new RDSClient();
  return { needsOf: (node) => needs.get(node), quotas: () => snapshotQuotas(client) };
});
