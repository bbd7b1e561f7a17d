import { type IRole, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { acknowledgeWildcards } from './acknowledge-wildcards.ts';

/** One right of a role. No wildcard in an action, and none in a resource that could name things that are not ours. */
export interface Grant {
  /** Why the role needs it: one sentence for whoever reviews the policy. `docs/permissions.md` is made of these. */
  readonly because: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const granted = new WeakMap<Role, Grant[]>();

/** Adds a right to a role. Every right of every role of ours is given here, and so has a reason. */
export function allow(role: Role, grant: Grant): void {
  const { because, actions, resources, conditions } = grant;
  if (resources.length === 0) return;
  role.addToPolicy(
    new PolicyStatement({
      actions: [...actions],
      resources: [...resources],
      ...(conditions && { conditions: { ...conditions } }),
    }),
  );
  acknowledgeWildcards(role, resources, because);
  granted.set(role, [...grantsOf(role), grant]);
}

/** In the order in which they were given. */
export const grantsOf = (role: Role): readonly Grant[] => granted.get(role) ?? [];

/** Why a role has the statements that CDK itself gives it. */
export interface Explanation {
  readonly because: string;
  /** All that such a statement allows. */
  readonly actions: readonly string[];
}

const explained = new WeakMap<IRole, Explanation[]>();

/** CDK writes some statements where a construct needs them; their reason is told here, beside that construct. */
export function explain(role: IRole, ...explanations: readonly Explanation[]): void {
  explained.set(role, [...explanationsOf(role), ...explanations]);
}

export const explanationsOf = (role: IRole): readonly Explanation[] => explained.get(role) ?? [];
