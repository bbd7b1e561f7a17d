import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { planWaves } from '../../lambdas/plan-waves/contract.ts';
import { StepLambda } from '../step-lambda.ts';

/** Decides only: it reads nothing and may nothing. */
export class PlanWaves extends StepLambda<typeof planWaves> {
  constructor(scope: Construct) {
    super(scope, 'PlanWaves', { step: planWaves, timeout: Duration.seconds(30), environment: {} });
  }
}
