import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { agreeEnd } from '../../lambdas/agree-end/contract.ts';
import type { ChainReach } from '../chain-reach.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class AgreeEnd extends StepLambda<typeof agreeEnd> {
  constructor(scope: Construct, storage: Storage, reach: ChainReach) {
    super(scope, 'AgreeEnd', {
      step: agreeEnd,
      // 40 rounds of calls at most, 30 s each where one is silent, and the whole history read before.
      timeout: Duration.minutes(15),
      vpc: reach.vpc,
      environment: { ...storage.lockingEnvironment, CHAINS: reach.chains },
      grant: (role) => {
        storage.grant(role, {
          read: ['leases/*', 'chain/*/manifests/*', 'chain/*/records/*', 'chain/*/runs/*'],
          writeOnce: ['leases/*', 'chain/*/runs/*'],
        });
        reach.grant(role);
      },
    });
  }
}
