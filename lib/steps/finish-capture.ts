import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { finishCapture } from '../../lambdas/finish-capture/contract.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class FinishCapture extends StepLambda<typeof finishCapture> {
  constructor(scope: Construct, storage: Storage) {
    super(scope, 'FinishCapture', {
      step: finishCapture,
      timeout: Duration.minutes(1),
      environment: storage.environment,
      grant: (role) =>
        storage.grant(role, {
          read: ['leases/*', 'sets/*/receipts/*'],
          writeOnce: ['leases/*', 'sets/*/receipts/*'],
        }),
    });
  }
}
