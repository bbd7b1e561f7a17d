import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { sealChain } from '../../lambdas/seal-chain/contract.ts';
import type { ChainReach } from '../chain-reach.ts';
import { allow } from '../grants.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class SealChain extends StepLambda<typeof sealChain> {
  constructor(scope: Construct, storage: Storage, reach: ChainReach, deliveries?: string) {
    super(scope, 'SealChain', {
      step: sealChain,
      timeout: Duration.minutes(5),
      vpc: reach.vpc,
      environment: {
        ...{ ...storage.lockingEnvironment, SIGNING_KEY: storage.signingKey.keyArn },
        CHAINS: reach.chains,
        DELIVERIES: deliveries ?? '',
      },
      grant: (role) => {
        storage.grant(role, {
          read: ['leases/*', 'keys/*', 'chain/*'],
          writeOnce: ['leases/*', 'keys/*', 'chain/*/manifests/*'],
        });
        allow(role, {
          because: 'It signs manifests, and puts the public key beside them.',
          actions: ['kms:Sign', 'kms:GetPublicKey'],
          resources: [storage.signingKey.keyArn],
        });
        reach.grant(role);
        allow(role, {
          because: 'What was sealed goes to the members at once, and not only with the next hour.',
          actions: ['states:StartExecution'],
          resources: deliveries === undefined ? [] : [deliveries],
        });
      },
    });
  }
}
