import type { Statement } from '../../core/bucket-policy.ts';
import { bucketArn, type MemberAccess, memberPolicy } from '../../core/member-policy.ts';

/**
 * The product's policy for a member's bucket, as far as versitygw knows its words. Its principals are access keys, which
 * here are the numbers of accounts, and not roles; it has no `NotAction` and no `NotResource`, and of the conditions
 * neither the one by which nothing is overwritten nor those about encryption. What it denies by these is left out, so that
 * this policy denies less than ours, and allows the same. A bucket with a policy wants its `owner` named, too.
 */
export function policyForVersitygw(access: MemberAccess, owner: string): string {
  const { Version, Statement: ours } = memberPolicy(access);
  const everything = [bucketArn(access), `${bucketArn(access)}/*`];
  const known = ours.filter(isKnown).map(({ Condition: _, ...statement }) => {
    return { ...statement, Principal: { AWS: [access.operatorAccount] } };
  });
  const lost = ours.filter((statement) => statement.Effect === 'Allow' && !isKnown(statement));
  if (lost.length > 0) throw new Error(`no form of ${lost.map(({ Sid }) => Sid).join(', ')} is known to versitygw`);
  const rules = { Effect: 'Allow', Principal: { AWS: [owner] }, Action: 's3:*', Resource: everything };
  return JSON.stringify({ Version, Statement: [rules, ...known] });
}

/** About our role alone, by what may be done where. */
function isKnown({ Action, Resource, Condition = {} }: Statement): boolean {
  const role = Object.keys(Condition).join() === 'ArnEquals';
  return role && Object.keys(Condition['ArnEquals'] ?? {}).join() === 'aws:PrincipalArn' && Boolean(Action && Resource);
}
