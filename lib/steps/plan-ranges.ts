import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { planRanges } from '../../lambdas/plan-ranges/contract.ts';
import type { ChainReach } from '../chain-reach.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class PlanRanges extends StepLambda<typeof planRanges> {
  constructor(scope: Construct, storage: Storage, reach: ChainReach) {
    super(scope, 'PlanRanges', {
      step: planRanges,
      timeout: Duration.minutes(1),
      environment: { ...storage.lockingEnvironment, BLOCKS_PER_FILE: String(reach.blocksPerFile) },
      grant: (role) =>
        storage.grant(role, {
          read: ['leases/*', 'chain/*/records/*', 'chain/*/runs/*'],
          writeOnce: ['leases/*'],
        }),
    });
  }
}
