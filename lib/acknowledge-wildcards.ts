import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Tells cdk-nag why a policy under `construct` may name exactly these resources by pattern, and no others. */
export function acknowledgeWildcards(construct: IConstruct, arns: readonly string[], reason: string): void {
  const stack = Stack.of(construct);
  for (const arn of arns.filter((each) => each.includes('*'))) {
    Validations.of(construct).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${asNagSpellsIt(stack.resolve(arn))}]`,
      reason,
    });
  }
}

type Resolved =
  | string
  | { 'Fn::GetAtt': [id: string, attribute: string] }
  | { 'Fn::Join': [separator: string, Resolved[]] };

/** What CloudFormation will fill in stands in angle brackets. */
function asNagSpellsIt(arn: Resolved): string {
  if (typeof arn === 'string') return arn;
  if ('Fn::GetAtt' in arn) return `<${arn['Fn::GetAtt'].join('.')}>`;
  const [separator, parts] = arn['Fn::Join'];
  return parts.map(asNagSpellsIt).join(separator);
}
