import { runSimulation } from '@cloud-copilot/iam-simulate';
import { type App, CfnResource, Stack } from 'aws-cdk-lib';
import { CfnBucketPolicy } from 'aws-cdk-lib/aws-s3';
import { nameOf, permissionsOf } from '../../scripts/role-permissions.ts';

export const ACCOUNT = '111111111111';
export const REGION = 'eu-central-1';

/** One call of one role. */
export interface Call {
  readonly role: string;
  readonly action: string;
  /** In the ARNs of `iamOf`, the last part is the path of the construct, with `-` for `/`: `arn:aws:s3:::Storage-Vault`. */
  readonly resource: string;
  /** Who owns the resource; default: the account of the stack. Another account's bucket is open to everybody. */
  readonly account?: string;
  readonly context?: Readonly<Record<string, string>>;
}

/** Decides calls by the policies that are to be deployed; rejects if a call cannot be judged. */
export type Iam = (call: Call) => Promise<boolean>;

/** Reads the policies of an app, its resources being deployed to `ACCOUNT` under names made of their paths. */
export function iamOf(app: App): Iam {
  const roles = permissionsOf(app);
  return async ({ role, action, resource, account = ACCOUNT, context = {} }) => {
    const found = roles.find(({ name }) => name === role);
    if (found === undefined)
      throw new Error(`no role is ${role}; there are ${roles.map(({ name }) => name).join(', ')}`);
    const statements = deployed(found.stack)(found.statements.map(({ statement }) => statement));
    const isS3 = action.startsWith('s3:');
    const result = await runSimulation(
      {
        request: {
          principal: `arn:aws:iam::${ACCOUNT}:role/${role.replaceAll('/', '-')}`,
          ...{ action, resource: { resource, accountId: account } },
          contextVariables: {
            ...{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' },
            ...(isS3 && { 's3:ResourceAccount': account }),
            ...context,
          },
        },
        identityPolicies: [{ name: role, policy: policyOf(statements) }],
        ...{ serviceControlPolicies: [], resourceControlPolicies: [] },
        ...(isS3 && { resourcePolicy: account === ACCOUNT ? bucketPolicyOf(app, resource) : OPEN }),
        // What CDK gives to every key: the account's own policies decide.
        ...(action.startsWith('kms:') && { resourcePolicy: policyOf([OF_THE_ACCOUNT]) }),
      },
      {},
    );
    if (result.resultType === 'error') throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`);
    return result.overallResult === 'Allowed';
  };
}

const policyOf = (Statement: unknown) => ({ Version: '2012-10-17', Statement });

const OF_THE_ACCOUNT = {
  ...{ Effect: 'Allow', Action: 'kms:*', Resource: '*' },
  Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
};

const OPEN = policyOf([{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: '*' }]);

function bucketPolicyOf(app: App, resource: string): unknown {
  for (const each of app.node.findAll()) {
    if (!(each instanceof CfnBucketPolicy)) continue;
    const read = deployed(Stack.of(each));
    if (!resource.startsWith(`arn:aws:s3:::${String(read(each.bucket))}`)) continue;
    return read(each.policyDocument);
  }
  return undefined;
}

/** How a resource's ARN, and what `Ref` gives of it, are made of its name. */
const DEPLOYED: Readonly<Record<string, { readonly arn: (name: string) => string; readonly ref?: 'arn' }>> = {
  'AWS::S3::Bucket': { arn: (name) => `arn:aws:s3:::${name}` },
  'AWS::KMS::Key': { arn: (name) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${name}` },
  'AWS::Lambda::Function': { arn: (name) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}` },
  'AWS::Logs::LogGroup': { arn: (name) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${name}:*` },
  'AWS::StepFunctions::StateMachine': {
    arn: (name) => `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`,
    ref: 'arn',
  },
  'AWS::SecretsManager::Secret': {
    arn: (name) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-AbCdEf`,
    ref: 'arn',
  },
  'AWS::SNS::Topic': { arn: (name) => `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`, ref: 'arn' },
  'AWS::SQS::Queue': { arn: (name) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}` },
  'AWS::ECS::TaskDefinition': {
    arn: (name) => `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/${name}:1`,
    ref: 'arn',
  },
  'AWS::ECS::Cluster': { arn: (name) => `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/${name}` },
  'AWS::IAM::Role': { arn: (name) => `arn:aws:iam::${ACCOUNT}:role/${name}` },
};

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Fills in what CloudFormation would. Throws for a kind of resource that it does not know. */
function deployed(stack: Stack): (value: unknown) => unknown {
  // A stack may name what lies in another one of the app; its own come last, and so take precedence.
  const found = [stack.node.root, stack].flatMap((scope) => scope.node.findAll());
  const resources = new Map(
    found
      .filter((each): each is CfnResource => CfnResource.isCfnResource(each))
      .map((each) => [String(stack.resolve(each.logicalId)), each]),
  );
  const named = (id: string, attribute: 'ref' | 'arn'): string => {
    const resource = resources.get(id);
    const form = DEPLOYED[resource?.cfnResourceType ?? ''];
    if (resource === undefined || form === undefined)
      throw new Error(`no form for ${id}: ${resource?.cfnResourceType}`);
    const name = nameOf(resource.node.path).replaceAll('/', '-');
    return attribute === 'arn' || form.ref === 'arn' ? form.arn(name) : name;
  };
  const fill = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    if ('Ref' in value) return PSEUDO[String(value.Ref)] ?? named(String(value.Ref), 'ref');
    if ('Fn::GetAtt' in value) return named(String((value['Fn::GetAtt'] as string[])[0]), 'arn');
    if ('Fn::Join' in value) {
      const [separator, parts] = value['Fn::Join'] as [string, unknown[]];
      return parts.map(fill).join(separator);
    }
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each)]));
  };
  return (value) => fill(stack.resolve(value));
}
