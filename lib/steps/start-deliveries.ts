import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { startDeliveries } from '../../lambdas/start-deliveries/contract.ts';
import { allow } from '../grants.ts';
import { StepLambda } from '../step-lambda.ts';

export class StartDeliveries extends StepLambda<typeof startDeliveries> {
  constructor(scope: Construct, memberMachine: string) {
    super(scope, 'StartDeliveries', {
      step: startDeliveries,
      timeout: Duration.minutes(5),
      environment: { MEMBER_MACHINE: memberMachine },
      grant: (role) =>
        allow(role, {
          because: 'It starts the delivery to each member that lacks something.',
          actions: ['states:StartExecution'],
          resources: [memberMachine],
        }),
    });
  }
}
