import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ChainTick } from '../../core/chain-settings.ts';
import { claimChainSlot } from '../../lambdas/claim-chain-slot/contract.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class ClaimChainSlot extends StepLambda<typeof claimChainSlot> {
  constructor(scope: Construct, storage: Storage, tick: ChainTick) {
    super(scope, 'ClaimSlot', {
      step: claimChainSlot,
      timeout: Duration.minutes(1),
      environment: { ...storage.lockingEnvironment, TICK: JSON.stringify(tick) },
      grant: (role) =>
        storage.grant(role, {
          read: ['format.json', 'leases/*', 'chain/*/manifests/*', 'settings/*'],
          writeOnce: ['format.json', 'leases/*'],
        }),
    });
  }
}
