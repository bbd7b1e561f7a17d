import { type IResolvable, Reference, Stack, Token, Tokenization, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Tells cdk-nag why a policy under `construct` may name exactly these resources by pattern, and no others. */
export function acknowledgeWildcards(construct: IConstruct, arns: readonly string[], reason: string): void {
  const stack = Stack.of(construct);
  for (const arn of arns.filter((each) => each.includes('*'))) {
    Validations.of(construct).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${asNagSpellsIt(stack.resolve(seenFrom(stack, arn)))}]`,
      reason,
    });
  }
}

/** What lies in another stack is imported from it; CDK puts that in later, and cdk-nag comes after. */
function seenFrom(stack: Stack, arn: string): string {
  const parts = Tokenization.reverseString(arn).mapTokens({ mapToken: (token) => imported(stack, token) });
  return parts.join({ join: (left, right) => `${left ?? ''}${right ?? ''}` });
}

function imported(stack: Stack, token: IResolvable): unknown {
  if (!Reference.isReference(token) || Stack.of(token.target) === stack) return Token.asString(token);
  return Stack.of(token.target).exportValue(token);
}

type Resolved =
  | string
  | { Ref: string }
  | { 'Fn::GetAtt': [id: string, attribute: string] }
  | { 'Fn::ImportValue': Resolved }
  | { 'Fn::Join': [separator: string, Resolved[]] };

/** What CloudFormation will fill in stands in angle brackets. */
function asNagSpellsIt(arn: Resolved): string {
  if (typeof arn === 'string') return arn;
  if ('Ref' in arn) return `<${arn.Ref}>`;
  if ('Fn::ImportValue' in arn) return asNagSpellsIt(arn['Fn::ImportValue']);
  if ('Fn::GetAtt' in arn) return `<${arn['Fn::GetAtt'].join('.')}>`;
  const [separator, parts] = arn['Fn::Join'];
  return parts.map(asNagSpellsIt).join(separator);
}
