import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { CaptureSources } from '../../core/capture-sources.ts';
import { pollCapture } from '../../lambdas/poll-capture/contract.ts';
import { type DumpTasks, TASK_RECORDS } from '../dump-tasks.ts';
import { allowLooking, rdsResources } from '../rds-rights.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class PollCapture extends StepLambda<typeof pollCapture> {
  constructor(scope: Construct, storage: Storage, captures: CaptureSources, dumps?: DumpTasks) {
    super(scope, 'PollCapture', {
      step: pollCapture,
      timeout: Duration.minutes(1),
      environment: storage.environment,
      grant: (role) => {
        storage.grant(role, {
          read: ['leases/*', ...(dumps === undefined ? [] : [TASK_RECORDS])],
          writeOnce: ['leases/*'],
        });
        allowLooking(role, rdsResources(scope, storage.network, captures));
        dumps?.grantLook(role);
      },
    });
  }
}
