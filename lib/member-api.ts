import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  CfnAccount,
  type CfnRestApi,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RestApi,
  type StageOptions,
} from 'aws-cdk-lib/aws-apigateway';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { deliveryMachineName } from '../core/deployed-names.ts';
import { ROUTES, type Route } from '../core/member-api.ts';
import type { MemberAccounts } from '../core/member-list.ts';
import { type ApiList, type ChainDefaults, memberApi } from '../lambdas/member-api/contract.ts';
import { allow } from './grants.ts';
import { stateMachineArnOf } from './machine-arn.ts';
import { StepLambda } from './step-lambda.ts';
import type { Storage } from './storage.ts';

export interface MemberApiProps {
  /** The vault of the network's first backup: the registry lies in it. */
  readonly storage: Storage;
  /** The network's list: by member the account that may speak for it. */
  readonly members: MemberAccounts;
  /** By chain, what the configuration says of its backup. */
  readonly chains: ChainDefaults;
}

/** Its version, and the first part of every path. */
const STAGE = 'v1';

/** A person's clicks and a client's pages; more than that is a loop, which the registry refuses anyway. */
const THROTTLE = { throttlingRateLimit: 10, throttlingBurstLimit: 20 };

const routes = Object.values(ROUTES) as readonly Route[];

/**
 * The API by which members register themselves, and the operator sets how chains are backed up. AWS attests who calls:
 * each method wants a signature, and accounts other than our own come in by the resource policy alone.
 */
export class MemberApi extends Construct {
  readonly step: StepLambda<typeof memberApi>;
  readonly api: RestApi;

  constructor(scope: Construct, id: string, { storage, members, chains }: MemberApiProps) {
    super(scope, id);
    const deliveries = stateMachineArnOf(this, deliveryMachineName(storage.network));
    this.step = new StepLambda(this, 'Answer', {
      step: memberApi,
      // API Gateway waits no longer.
      timeout: Duration.seconds(29),
      memoryMiB: 1024,
      environment: { ...storage.environment, DELIVERIES: deliveries },
      list: { members, chains } satisfies ApiList,
      grant: (role) => {
        allow(role, {
          because:
            'What a member has registered is checked, and delivered to, at once and not only with the next hour.',
          actions: ['states:StartExecution'],
          resources: [deliveries],
        });
        storage.grant(role, {
          // Of the chains also the files: a URL to download one by has no more rights than who signs it.
          read: ['keys/*', 'members/*', 'settings/*', 'deliveries/*', 'proofs/*', 'leases/*', 'chain/*'],
          writeOnce: ['members/*', 'settings/*'],
        });
      },
    });
    this.api = this.#gateway(storage.network);
    const integration = new LambdaIntegration(this.step.lambda, { allowTestInvoke: false });
    const requestValidator = this.api.addRequestValidator('Valid', {
      ...{ validateRequestBody: true, validateRequestParameters: true },
    });
    for (const { method, path } of routes) {
      const requestParameters = { 'method.request.path.id': true };
      this.api.root.resourceForPath(path).addMethod(method, integration, { requestValidator, requestParameters });
    }
    new CfnOutput(this, 'Url', { value: this.api.url });
  }

  #gateway(network: string): RestApi {
    const api = new RestApi(this, 'Api', {
      restApiName: `ledgerhold-${network}-members`,
      description: `Ledgerhold: members of ${network}`,
      endpointConfiguration: { types: [EndpointType.REGIONAL] },
      policy: openToOthers(Stack.of(this).account),
      deployOptions: stage(this),
      // Its role would have a policy of somebody else's; ours is below.
      cloudWatchRole: false,
      defaultMethodOptions: { authorizationType: AuthorizationType.IAM },
    });
    // TLS 1.3 alone; a policy of this kind wants the host to be the API's own, too.
    const { defaultChild } = api.node;
    Object.assign(defaultChild as CfnRestApi, { securityPolicy: TLS, endpointAccessMode: 'STRICT' });
    api.deploymentStage.node.addDependency(letWriteLogs(this));
    const users = 'Callers are other organisations’ roles, which AWS attests by their signatures: there are no users.';
    Validations.of(this).acknowledge({ id: 'AwsSolutions-COG4', reason: users });
    const strangers = 'Nobody comes as far as a firewall would look who has not signed, and the log has every account.';
    Validations.of(api).acknowledge({ id: 'AwsSolutions-APIG3', reason: strangers });
    return api;
  }
}

const TLS = 'SecurityPolicy_TLS13_1_3_2025_09';

/**
 * Signed callers of any other account, on the members' paths alone: whom they speak for the Lambda decides by the list,
 * which has no room in a policy (`docs/decisions/0015-the-list-of-members.md`). Their own account has to let them, too, and
 * the operator's own principals need a policy of theirs.
 */
const openToOthers = (operator: string): PolicyDocument =>
  new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: 'MembersCall',
        effect: Effect.ALLOW,
        principals: [new AnyPrincipal()],
        actions: ['execute-api:Invoke'],
        resources: routes
          .filter(({ who }) => who === 'member')
          .map(({ method, path }) => `execute-api:/${STAGE}/${method}${path.replace('{id}', '*')}`),
        conditions: {
          // There is none where nobody has signed, and so no method would be open that had lost its authorization.
          StringLike: { 'aws:PrincipalAccount': '?'.repeat(12) },
          StringNotEquals: { 'aws:PrincipalAccount': operator },
        },
      }),
    ],
  });

/** Who called what, when and how it ended; nothing of what was said. */
function stage(scope: Construct): StageOptions {
  const logs = new LogGroup(scope, 'AccessLogs', { retention: RetentionDays.THREE_MONTHS });
  const told = {
    ...{ requestId: '$context.requestId', at: '$context.requestTime', ip: '$context.identity.sourceIp' },
    ...{ account: '$context.identity.accountId', caller: '$context.identity.userArn', tls: '$context.tlsVersion' },
    ...{ method: '$context.httpMethod', path: '$context.path', status: '$context.status' },
    milliseconds: '$context.responseLatency',
  };
  return {
    ...{ stageName: STAGE, ...THROTTLE, tracingEnabled: true },
    accessLogDestination: new LogGroupLogDestination(logs),
    accessLogFormat: AccessLogFormat.custom(JSON.stringify(told)),
    ...{ loggingLevel: MethodLoggingLevel.ERROR, dataTraceEnabled: false },
  };
}

/** API Gateway has one role for logs in an account and Region; it stays when the stack goes, since others may use it by then. */
function letWriteLogs(scope: Construct): CfnAccount {
  const role = new Role(scope, 'LogsRole', { assumedBy: new ServicePrincipal('apigateway.amazonaws.com') });
  allow(role, {
    because: 'API Gateway writes its logs, of every API of the account and Region, and takes no role that may do less.',
    actions: [
      ...['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogGroups', 'logs:DescribeLogStreams'],
      ...['logs:PutLogEvents', 'logs:GetLogEvents', 'logs:FilterLogEvents'],
    ],
    resources: ['*'],
  });
  const account = new CfnAccount(scope, 'LogsAccount', { cloudWatchRoleArn: role.roleArn });
  account.node.addDependency(role);
  for (const each of [role, account]) each.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return account;
}
