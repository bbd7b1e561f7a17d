import { ECSClient } from '@aws-sdk/client-ecs';
import type { CaptureEnds } from '../aws/deployed-captures.ts';
import { dumpEnds } from '../aws/dump-ends.ts';
import { endedCaptures } from '../aws/lambda-captures.ts';
import { rdsEnds } from '../aws/rds-captures.ts';
import type { RdsReach } from '../aws/rds-source.ts';

/** What follows the start of a capture, for every kind that can be deployed. */
export const deployedEnds = (
  reach: Pick<RdsReach, 'rds' | 'vault' | 'clock'>,
  ecs: ECSClient = new ECSClient(),
): CaptureEnds => ({
  identities: endedCaptures(),
  rds: rdsEnds(reach),
  dump: dumpEnds({ ...reach, ecs }),
});
