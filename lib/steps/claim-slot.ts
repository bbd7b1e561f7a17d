import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { claimSlot } from '../../lambdas/claim-slot/contract.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class ClaimSlot extends StepLambda<typeof claimSlot> {
  constructor(scope: Construct, storage: Storage) {
    super(scope, 'ClaimSlot', {
      step: claimSlot,
      timeout: Duration.minutes(1),
      environment: storage.lockingEnvironment,
      grant: (role) =>
        storage.grant(role, {
          read: ['format.json', 'leases/*', 'sets/*/manifests/*'],
          writeOnce: ['format.json', 'leases/*'],
        }),
    });
  }
}
