import { type App, CfnElement, Stack } from 'aws-cdk-lib';
import { CfnPolicy, CfnRole, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { explanationsOf, type Grant, grantsOf } from '../lib/grants.ts';

/** A statement as CloudFormation gets it. What only the deployment knows stands as a function of CloudFormation's. */
export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface RolePermissions {
  /** Path of what the role belongs to. */
  readonly name: string;
  readonly stack: Stack;
  /** Each with its reason; undefined if nobody has given one. */
  readonly statements: readonly { readonly statement: Statement; readonly because: string | undefined }[];
  /** Policies that are not ours to read. None is expected. */
  readonly foreign: readonly unknown[];
}

/** Every role of an app with every statement that its policies will hold, read from what is to be deployed. */
export function permissionsOf(app: App): RolePermissions[] {
  const all = app.node.findAll();
  const policies = all.filter((each): each is CfnPolicy => each instanceof CfnPolicy);
  return all
    .filter((each): each is CfnRole => each instanceof CfnRole)
    .map((resource) => {
      const stack = Stack.of(resource);
      const role = resource.node.scope as IConstruct;
      const own = policies.filter((policy) => isOf(policy, stack.resolve(resource.ref)));
      const statements = own.flatMap(
        (policy): Statement[] => Stack.of(policy).resolve(policy.policyDocument).Statement,
      );
      return {
        name: nameOf(role.node.path),
        stack,
        statements: statements.map((statement) => ({ statement, because: reasonOf(role, statement, stack) })),
        foreign: [resource.managedPolicyArns, resource.policies].flatMap((each) => stack.resolve(each) ?? []),
      };
    });
}

const isOf = (policy: CfnPolicy, role: unknown): boolean =>
  JSON.stringify(Stack.of(policy).resolve(policy.roles)).includes(JSON.stringify(role));

/** A path without what every path of ours begins and ends with. */
export const nameOf = (path: string): string =>
  path.replace(/^[^/]+\/(LedgerBackup\/)?/, '').replace(/\/(Resource|Role)$/, '');

function reasonOf(role: IConstruct, statement: Statement, stack: Stack): string | undefined {
  if (!(role instanceof Role)) return undefined;
  const given = grantsOf(role).find((grant) => same(stack.resolve(statementOf(grant)), statement));
  const explained = explanationsOf(role).find(({ actions }) =>
    same([...actions].sort(), [statement.Action].flat().sort()),
  );
  return given?.because ?? explained?.because;
}

const statementOf = ({ actions, resources, conditions }: Grant) =>
  new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions && { conditions: { ...conditions } }),
  }).toStatementJson();

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** By logical id, the path of what it stands for. */
export function pathsOf(stack: Stack): ReadonlyMap<string, string> {
  const elements = stack.node.findAll().filter((each): each is CfnElement => CfnElement.isCfnElement(each));
  return new Map(elements.map((each) => [String(stack.resolve(each.logicalId)), nameOf(each.node.path)]));
}
