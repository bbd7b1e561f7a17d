import { ECSClient } from '@aws-sdk/client-ecs';
import type { CaptureEnds } from '../aws/deployed-captures.ts';
import { dumpEnds } from '../aws/dump-ends.ts';
import { endedCaptures } from '../aws/lambda-captures.ts';
import { rdsEnds } from '../aws/rds-captures.ts';
import type { RdsReach } from '../aws/rds-source.ts';

type EndsReach = Pick<RdsReach, 'rds' | 'vault' | 'clock'>;

/** Of kinds that leave something outside the vault to be attested: all that the step which starts captures asks of ends. */
export const attestedEnds = (reach: EndsReach): CaptureEnds => ({
  identities: endedCaptures(),
  rds: rdsEnds(reach),
});

/** What follows the start of a capture, for every kind that can be deployed. */
export const deployedEnds = (reach: EndsReach): CaptureEnds => ({
  ...attestedEnds(reach),
  dump: dumpEnds({ ...reach, ecs: new ECSClient() }),
});
