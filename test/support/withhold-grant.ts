import {
  GetRolePolicyCommand,
  type IAMClient,
  ListRolePoliciesCommand,
  ListRolesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';

interface Policy {
  readonly Version: string;
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/**
 * Takes every statement about `action` from the one role whose name has `name` in it. Resolves to what grants it again;
 * rejects if there is none.
 */
export async function withholdGrant(iam: IAMClient, name: string, action: string): Promise<() => Promise<unknown>> {
  const { Roles = [] } = await iam.send(new ListRolesCommand({}));
  const RoleName = Roles.map((role) => role.RoleName).find((role) => role?.includes(name)) ?? '';
  const { PolicyNames: [PolicyName] = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const { PolicyDocument = '' } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  const document: Policy = JSON.parse(decodeURIComponent(PolicyDocument));
  const put = (of: Policy) =>
    iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify(of) }));
  const Statement = document.Statement.filter(({ Action }) => ![Action].flat().includes(action));
  if (Statement.length === document.Statement.length) throw new Error(`${RoleName} has no grant of ${action}`);
  await put({ ...document, Statement });
  return () => put(document);
}
