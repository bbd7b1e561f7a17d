import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { failRun } from '../../lambdas/fail-run/contract.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class FailRun extends StepLambda<typeof failRun> {
  constructor(scope: Construct, storage: Storage) {
    super(scope, 'FailRun', {
      step: failRun,
      timeout: Duration.minutes(1),
      environment: storage.environment,
      grant: (role) => storage.grant(role, { read: ['leases/*'], writeOnce: ['leases/*'] }),
    });
  }
}
