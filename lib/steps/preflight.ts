import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { CaptureSources } from '../../core/capture-sources.ts';
import { preflight, type SnapshotsByNode } from '../../lambdas/preflight/contract.ts';
import { allow } from '../grants.ts';
import { allowLookingAtKeys, allowLookingAtSources, rdsResources } from '../rds-rights.ts';
import { StepLambda } from '../step-lambda.ts';

export interface PreflightProps {
  readonly network: string;
  readonly captures: CaptureSources;
  /** As of `StartCapture`. */
  readonly copiedElsewhere?: boolean | undefined;
}

export class Preflight extends StepLambda<typeof preflight> {
  constructor(scope: Construct, { network, captures, copiedElsewhere }: PreflightProps) {
    const snapshots = snapshotsOf(captures);
    super(scope, 'Preflight', {
      step: preflight,
      // At most 32 databases, each described in some three calls of a tenth of a second, and each call made three times.
      timeout: Duration.minutes(5),
      environment: {
        SNAPSHOTS: JSON.stringify(snapshots),
        COPIED_ELSEWHERE: copiedElsewhere === true ? 'yes' : 'no',
      },
      grant: (role) => {
        const resources = rdsResources(scope, network, captures);
        allowLookingAtSources(role, resources);
        if (copiedElsewhere === true) allowLookingAtKeys(role, resources);
        allow(role, {
          because: 'It asks how many manual snapshots the account has and may have; RDS knows no narrower resource.',
          actions: ['rds:DescribeAccountAttributes'],
          resources: Object.keys(snapshots).length > 0 ? ['*'] : [],
        });
      },
    });
  }
}

/** What a run of each node takes snapshots of; nodes that take none are left out. */
export function snapshotsOf(captures: CaptureSources): SnapshotsByNode {
  const snapshots: SnapshotsByNode = {};
  for (const [node, components] of Object.entries(captures)) {
    const sources = Object.values(components).flatMap((source) => ('rds' in source ? [source.rds] : []));
    if (sources.length > 0) snapshots[node] = sources;
  }
  return snapshots;
}
