import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { CaptureSources } from '../../core/capture-sources.ts';
import { preflight, type SnapshotsByNode } from '../../lambdas/preflight/contract.ts';
import { allow } from '../grants.ts';
import { StepLambda } from '../step-lambda.ts';

export class Preflight extends StepLambda<typeof preflight> {
  constructor(scope: Construct, captures: CaptureSources) {
    const needs = snapshotsOf(captures);
    super(scope, 'Preflight', {
      step: preflight,
      timeout: Duration.minutes(1),
      environment: { SNAPSHOTS: JSON.stringify(needs) },
      grant: (role) =>
        allow(role, {
          because: 'It asks how many manual snapshots the account has and may have; RDS knows no narrower resource.',
          actions: ['rds:DescribeAccountAttributes'],
          resources: Object.keys(needs).length > 0 ? ['*'] : [],
        }),
    });
  }
}

/** How many snapshots a run of each node takes; nodes that take none are left out. */
export function snapshotsOf(captures: CaptureSources): SnapshotsByNode {
  const needs: SnapshotsByNode = {};
  for (const [node, components] of Object.entries(captures)) {
    const sources = Object.values(components).flatMap((source) => ('rds' in source ? [source.rds] : []));
    const instance = sources.filter((rds) => 'instance' in rds).length;
    const cluster = sources.length - instance;
    if (instance + cluster > 0) needs[node] = { instance, cluster };
  }
  return needs;
}
