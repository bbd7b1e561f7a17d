import { Stack } from 'aws-cdk-lib';
import type { CfnStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { type AllowedMachine, allowed } from '../../core/allowed-asl.ts';
import { type AnyStep, camel } from '../../core/step.ts';
import type { StepLambda } from '../step-lambda.ts';

/**
 * A state machine's definition as JSON that any runtime can bind: in place of a Lambda's ARN stands the name of its
 * step, such as `${sealManifest}`. Rejects with `DefinitionRefused` if the two runtimes would not run it alike.
 */
export function definitionOf(stateMachine: StateMachine, steps: Steps): AllowedMachine {
  const { definitionString } = stateMachine.node.defaultChild as CfnStateMachine;
  const { 'Fn::Join': join } = Stack.of(stateMachine).resolve(definitionString) as Joined;
  const names = namesOf(steps);
  const text = join[1].map((part) => (typeof part === 'string' ? part : `\${${names.get(part['Fn::GetAtt'][0])}}`));
  return allowed(JSON.parse(text.join('')));
}

type Steps = readonly Pick<StepLambda<AnyStep>, 'lambda' | 'step'>[];

interface Joined {
  readonly 'Fn::Join': readonly [string, readonly (string | { readonly 'Fn::GetAtt': readonly [string, 'Arn'] })[]];
}

/** Names of steps by the logical ids of their functions. */
function namesOf(steps: Steps): ReadonlyMap<string, string> {
  const idOf = ({ lambda }: Steps[number]) => Stack.of(lambda).resolve(lambda.functionArn)['Fn::GetAtt'][0];
  return new Map(steps.map((each) => [idOf(each), camel(each.step.name)]));
}
