import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Of a state machine with a fixed name, before it is made or from another stack. */
export function stateMachineArnOf(scope: Construct, name: string): string {
  const { partition, region, account } = Stack.of(scope);
  return `arn:${partition}:states:${region}:${account}:stateMachine:${name}`;
}
