import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { exportRange } from '../../lambdas/export-range/contract.ts';
import type { ChainReach } from '../chain-reach.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class ExportRange extends StepLambda<typeof exportRange> {
  constructor(scope: Construct, storage: Storage, reach: ChainReach) {
    super(scope, 'ExportRange', {
      step: exportRange,
      // A file of 100,001 blocks takes 30 s of a node that gives 3,400 a second, and 2 minutes of one with 12 KB blocks.
      timeout: Duration.minutes(15),
      // A whole CPU: it verifies and compresses what it reads.
      memoryMiB: 1769,
      vpc: reach.vpc,
      environment: { ...storage.lockingEnvironment, CHAINS: reach.chains },
      grant: (role) => {
        storage.grant(role, {
          read: ['leases/*', 'chain/*'],
          // Chain files by their name, in which manifests and agreements have no part, since `*` also stands for `/`.
          writeOnce: ['leases/*', 'chain/*-block-*.rlp*', 'chain/*/records/*.json'],
        });
        reach.grant(role);
      },
    });
  }
}
