import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { App } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { exampleApp, permissionsPage } from '../../scripts/document-permissions.ts';
import { permissionsOf } from '../../scripts/role-permissions.ts';

let app: App;
beforeAll(() => {
  app = exampleApp();
}, 60_000);

const unexplained = (of: App) =>
  permissionsOf(of).flatMap(({ name, statements, foreign }) => [
    ...statements.filter(({ because }) => because === undefined).map(({ statement }) => ({ name, statement })),
    ...foreign.map((policy) => ({ name, policy: JSON.stringify(policy) })),
  ]);

describe('the permissions of a deployed network', () => {
  test('are on the page, each with its reason; if not: node scripts/document-permissions.ts', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/permissions.md'), 'utf8');
    expect(page).toBe(permissionsPage(app));
  });

  test('each have a reason, and no role has a policy of somebody else', () => {
    expect(unexplained(app)).toEqual([]);
    expect(permissionsOf(app).length).toBeGreaterThanOrEqual(8);
  });

  test('name no action by a wildcard, and no resource by nothing else, but where a service knows no narrower one', () => {
    const statements = permissionsOf(app).flatMap(({ name, statements: own }) =>
      own.map(({ statement }) => ({ name, actions: [statement.Action].flat(), on: [statement.Resource].flat() })),
    );
    expect(statements.filter(({ actions }) => actions.some((action) => action.includes('*')))).toEqual([]);
    const anything = statements.filter(({ on }) => on.includes('*')).flatMap(({ actions }) => actions);
    expect(
      anything.filter(
        (action) =>
          !/^(logs|xray):|^rds:DescribeAccountAttributes$|^ec2:Describe(NetworkInterfaces|Subnets)$|^ecr:GetAuthorizationToken$/.test(
            action,
          ),
      ),
    ).toEqual([]);
  });

  test('are found without a reason where somebody adds one beside the rule', () => {
    const spoilt = exampleApp();
    const role = spoilt.node
      .findAll()
      .find((each): each is Role => each instanceof Role && /PollCapture/.test(each.node.path));
    role?.addToPolicy(new PolicyStatement({ actions: ['s3:DeleteObject'], resources: ['*'] }));
    role?.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AdministratorAccess'));
    expect(unexplained(spoilt)).toMatchObject([
      { name: 'Steps/PollCapture', statement: { Action: 's3:DeleteObject' } },
      { name: 'Steps/PollCapture', policy: expect.stringContaining('AdministratorAccess') },
    ]);
  }, 60_000);
});
