import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { AnyStep } from '../core/step.ts';
import { acknowledgeWildcards } from './acknowledge-wildcards.ts';
import { explain } from './grants.ts';
import type { StepLambda } from './step-lambda.ts';

/** Why a state machine's role may what CDK lets it: call the steps, and leave log and trace. */
export function explainStateMachine(
  stateMachine: StateMachine,
  steps: readonly Pick<StepLambda<AnyStep>, 'lambda'>[],
): void {
  const versions = steps.map(({ lambda }) => `${lambda.functionArn}:*`);
  acknowledgeWildcards(stateMachine, versions, 'CDK grants a function and its versions together.');
  acknowledgeWildcards(stateMachine, ['*'], 'X-Ray and the delivery of logs know no narrower resource.');
  explain(
    stateMachine.role,
    {
      because: 'It calls this step. CDK grants a function and its versions together.',
      actions: ['lambda:InvokeFunction'],
    },
    {
      because: 'It delivers its log, without the data of a run. The delivery of logs knows no narrower resource.',
      actions: LOG_DELIVERY,
    },
    { because: 'It leaves its part of the trace. X-Ray knows no narrower resource.', actions: TRACING },
  );
}

const LOG_DELIVERY = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];

const TRACING = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
];
