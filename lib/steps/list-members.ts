import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { listMembers } from '../../lambdas/list-members/contract.ts';
import { allow } from '../grants.ts';
import { StepLambda } from '../step-lambda.ts';
import type { Storage } from '../storage.ts';

export class ListMembers extends StepLambda<typeof listMembers> {
  constructor(scope: Construct, storage: Storage, memberMachine: string) {
    super(scope, 'ListMembers', {
      step: listMembers,
      timeout: Duration.minutes(14),
      memoryMiB: 1024,
      environment: { ...storage.environment, NETWORK: storage.network, MEMBER_MACHINE: memberMachine },
      grant: (role) => {
        storage.grantRead(role, ['keys/*', 'members/*', 'deliveries/*', 'proofs/*', 'chain/*/manifests/*']);
        allow(role, {
          because: 'It sees which members are being delivered to, so that none is twice at once.',
          actions: ['states:ListExecutions'],
          resources: [memberMachine],
        });
      },
    });
  }
}
