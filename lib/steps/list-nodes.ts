import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { listNodes } from '../../lambdas/list-nodes/contract.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

/** It lists the vault's keys and reads no object. */
export class ListNodes extends StepLambda<typeof listNodes> {
  constructor(scope: Construct, storage: Storage) {
    super(scope, 'ListNodes', {
      step: listNodes,
      timeout: Duration.minutes(1),
      environment: storage.environment,
      grant: (role) => storage.grant(role, {}),
    });
  }
}
