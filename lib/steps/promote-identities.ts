import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { promoteIdentities } from '../../lambdas/promote-identities/contract.ts';
import type { IdentitiesSecrets } from '../identities-secrets.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

/** Decides which version of a node's secret is current, and can read neither secret nor artifact. */
export class PromoteIdentities extends StepLambda<typeof promoteIdentities> {
  constructor(scope: Construct, storage: Storage, secrets: IdentitiesSecrets) {
    super(scope, 'PromoteIdentities', {
      step: promoteIdentities,
      timeout: Duration.minutes(1),
      environment: storage.environment,
      grant: (role) => {
        storage.grant(role, { read: ['sets/*/manifests/*', 'sets/*/receipts/*'] });
        secrets.grantPromote(role);
      },
    });
  }
}
