import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { CaptureSources } from '../../core/capture-sources.ts';
import { finishCapture } from '../../lambdas/finish-capture/contract.ts';
import { type DumpTasks, TASK_RECORDS } from '../dump-tasks.ts';
import { allowLooking, rdsResources } from '../rds-rights.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class FinishCapture extends StepLambda<typeof finishCapture> {
  constructor(scope: Construct, storage: Storage, captures: CaptureSources, dumps?: DumpTasks) {
    super(scope, 'FinishCapture', {
      step: finishCapture,
      timeout: Duration.minutes(1),
      environment: storage.lockingEnvironment,
      grant: (role) => {
        storage.grant(role, {
          read: [
            ...['leases/*', 'sets/*/receipts/*', 'sets/*/runs/*.snapshot.json'],
            ...(dumps === undefined ? [] : [TASK_RECORDS]),
          ],
          writeOnce: ['leases/*', 'sets/*/receipts/*', 'sets/*/runs/*.snapshot.json'],
        });
        allowLooking(role, rdsResources(scope, storage.network, captures));
      },
    });
  }
}
