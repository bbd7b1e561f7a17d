import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, test } from '@jest/globals';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Config } from '../../config/schema.ts';
import { ROUTES } from '../../core/member-api.ts';
import { MemberId } from '../../core/members.ts';
import { NetworkName } from '../../core/names.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { LedgerBackup } from '../../lib/ledger-backup.ts';
import { MemberApi } from '../../lib/member-api.ts';
import { memberApiStack } from '../../lib/member-api-stack.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';
import { ACCOUNT, iamOf, REGION } from '../support/iam.ts';

const chain = {
  name: 'consortium',
  protocol: 'ethereum',
  client: 'besu',
  timesADay: 2,
  monitor: { rpc: 'http://10.0.0.5' },
};
const member = (id: string, account: string, more: object = {}) => ({
  id,
  account,
  bucket: 'b-ucket',
  region: 'eu-west-1',
  ...more,
});
const PARTS = {
  ...{ network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } },
  aws: { account: ACCOUNT, region: REGION },
  nodes: [{ ...chain, validators: [{ name: 'bank-a', rpc: 'https://rpc.example.com' }] }],
};

function appOf(members: readonly object[], more: object = {}) {
  const app = new App({ context: { [UNBUNDLED]: true } });
  const config = Config.parse({ ...PARTS, members, ...more });
  const [{ backup }] = backupStacks(app, config);
  return { app, stack: memberApiStack(app, config, backup.storage) };
}

const { stack } = appOf([member('bank-a', '222222222222'), member('bank-b', '333333333333')]);
if (stack === undefined) throw new Error('there is no stack');
const template = Template.fromStack(stack);

describe('the API of members on AWS', () => {
  test('is a protected stack of its own, and there only where a member is named by its account', () => {
    expect(stack).toMatchObject({ stackName: 'Ledgerhold-acme-MemberApi', terminationProtection: true });
    expect(appOf([{ id: 'bank-a', folder: '/bank-a' }]).stack).toBeUndefined();
    expect(appOf([member('bank-a', '222222222222', { enabled: false })]).stack).toBeUndefined();
  });

  test('wants a signature for each of its methods, and for no other path there is one', () => {
    const methods = Object.values(template.findResources('AWS::ApiGateway::Method')).map(
      ({ Properties }) => Properties,
    );
    expect(methods.map(({ HttpMethod }) => HttpMethod).toSorted()).toEqual(
      Object.values(ROUTES)
        .map(({ method }) => method)
        .toSorted(),
    );
    expect(methods.map(({ AuthorizationType }) => AuthorizationType)).toEqual(methods.map(() => 'AWS_IAM'));
    expect(methods.every(({ Integration }) => Integration.Type === 'AWS_PROXY')).toBe(true);
  });

  test('is open on the members’ paths alone, by TLS 1.3', () => {
    const [api] = Object.values(template.findResources('AWS::ApiGateway::RestApi'));
    const { Policy, SecurityPolicy, EndpointConfiguration } = api?.['Properties'] ?? {};
    expect({ SecurityPolicy, EndpointConfiguration }).toEqual({
      ...{ SecurityPolicy: 'SecurityPolicy_TLS13_1_3_2025_09', EndpointConfiguration: { Types: ['REGIONAL'] } },
    });
    expect(Policy.Statement).toHaveLength(1);
    expect(
      Policy.Statement[0].Resource.every((each: string) => /^execute-api:\/v1\/[A-Z]+\/members\/\*/.test(each)),
    ).toBe(true);
  });

  test('is throttled, traced, and logs who called what, and nothing of what was said', () => {
    template.hasResourceProperties('AWS::ApiGateway::Stage', {
      ...{ StageName: 'v1', TracingEnabled: true },
      AccessLogSetting: { DestinationArn: Match.anyValue(), Format: Match.stringLikeRegexp('identity.userArn') },
      MethodSettings: [
        Match.objectLike({
          ThrottlingRateLimit: 10,
          ThrottlingBurstLimit: 20,
          DataTraceEnabled: false,
          LoggingLevel: 'ERROR',
        }),
      ],
    });
  });

  test('is refused for two members of one id', () => {
    expect(() => appOf([member('bank-a', '222222222222'), member('bank-a', '333333333333')])).toThrow(/same id/);
  });

  test('passes AwsSolutions', () => {
    // Another one: an app that was synthesized is not looked at again.
    const { app: checked } = appOf([member('bank-a', '222222222222')]);
    Validations.of(checked).addPlugins(new AwsSolutionsChecks(checked));
    expect(() => checked.synth()).not.toThrow();
  });
});

describe('the policy of the API', () => {
  const [api] = Object.values(template.findResources('AWS::ApiGateway::RestApi'));
  const gateway = `arn:aws:execute-api:${REGION}:${ACCOUNT}:a1b2c3`;
  // What API Gateway fills in.
  const resourcePolicy = JSON.parse(
    JSON.stringify(api?.['Properties'].Policy).replaceAll('"execute-api:/', `"${gateway}/`),
  );
  const ALL = { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' };

  /** A caller of an account; `own`: what that account itself lets it do. Who has not signed has no account. */
  const may = async (account: string, call: string, { own = [ALL], signed = true } = {}) => {
    const { resultType, ...rest } = await runSimulation(
      {
        request: {
          ...{ principal: `arn:aws:iam::${account}:role/any`, action: 'execute-api:Invoke' },
          contextVariables: signed ? { 'aws:PrincipalAccount': account } : {},
          resource: { resource: `${gateway}/${call}`, accountId: ACCOUNT },
        },
        identityPolicies: [{ name: 'own', policy: { Version: '2012-10-17', Statement: own } }],
        ...{ serviceControlPolicies: [], resourceControlPolicies: [], resourcePolicy },
      },
      {},
    );
    if (resultType === 'error') throw new Error(JSON.stringify(rest));
    return 'overallResult' in rest && rest.overallResult === 'Allowed';
  };

  test.each([
    ['222222222222', 'v1/GET/members/bank-a', true],
    ['222222222222', 'v1/PUT/members/bank-a/destination', true],
    ['333333333333', 'v1/GET/members/bank-b/receipts', true],
    ['333333333333', 'v1/GET/members/bank-b/proofs', true],
    ['222222222222', 'v1/GET/nodes/consortium/backup', false],
    ['222222222222', 'v1/PATCH/nodes/consortium/backup', false],
    ['222222222222', 'v1/GET/nodes/consortium/history', false],
    ['222222222222', 'v1/GET/nodes/consortium/history/download', false],
    ['222222222222', 'v1/DELETE/members/bank-a/destination', true],
    ['222222222222', 'v1/DELETE/members/bank-a', false],
    ['222222222222', 'v2/GET/members/bank-a', false],
    // Of no list: it comes as far as the Lambda, which refuses it.
    ['999999999999', 'v1/GET/members/bank-a', true],
    ['999999999999', 'v1/GET/nodes/consortium/backup', false],
    [ACCOUNT, 'v1/PATCH/nodes/consortium/backup', true],
    [ACCOUNT, 'v1/GET/members/bank-a', true],
  ])('lets account %s call %s: %s', async (account, call, allowed) => {
    expect(await may(account, call)).toBe(allowed);
  });

  test.each(['222222222222', ACCOUNT])('lets nobody of %s whom that account itself does not let', async (account) => {
    for (const path of ['members/bank-a', 'nodes/consortium/backup']) {
      expect(await may(account, `v1/GET/${path}`, { own: [] })).toBe(false);
    }
  });

  test('lets nobody who has not signed, whatever a method says', async () => {
    expect(await may('222222222222', 'v1/GET/members/bank-a', { signed: false })).toBe(false);
  });
});

describe('the role of the API’s Lambda', () => {
  // In one stack: what lies in another one is known at deployment only.
  const oneStack = new Stack(new App({ context: { [UNBUNDLED]: true } }), 'One', {
    env: { account: ACCOUNT, region: REGION },
  });
  const { storage } = new LedgerBackup(oneStack, 'Backup', { network: NetworkName.parse('acme'), captures: {} });
  new MemberApi(oneStack, 'MemberApi', {
    storage,
    members: { [MemberId.parse('bank-a')]: '222222222222' },
    chains: {},
  });
  const iam = iamOf(oneStack.node.root as App);
  const vault = 'arn:aws:s3:::Backup-Storage-Vault/acme/';
  const once = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' };
  const over = { 's3:ObjectCreationOperation': 'true' };
  const viaS3 = { 'kms:ViaService': `s3.${REGION}.amazonaws.com` };
  const key = (name: string) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/Backup-Storage-${name}`;

  test.each([
    ['s3:PutObject', `${vault}members/bank-a/00000001.json`, once, true],
    ['s3:PutObject', `${vault}settings/consortium/00000001.json`, once, true],
    ['s3:GetObject', `${vault}members/bank-a/00000001.json`, {}, true],
    ['s3:GetObject', `${vault}settings/consortium/00000001.json`, {}, true],
    ['s3:GetObject', `${vault}deliveries/bank-a/00000001.json`, {}, true],
    // A member's status tells what was read back.
    ['s3:GetObject', `${vault}proofs/bank-a/00000001.json`, {}, true],
    ['s3:PutObject', `${vault}proofs/bank-a/00000001.json`, once, false],
    ['s3:GetObject', `${vault}keys/a.pem`, {}, true],
    ['s3:GetObject', `${vault}leases/consortium/a/00000001.json`, {}, true],
    ['s3:GetObject', `${vault}chain/consortium/manifests/00000001.json`, {}, true],
    ['s3:GetObject', `${vault}chain/consortium/records/a-block-0-1.rlp.json`, {}, true],
    ['s3:GetObject', `${vault}chain/consortium/a-block-0-1.rlp`, {}, true],
    ['s3:ListBucket', 'arn:aws:s3:::Backup-Storage-Vault', {}, true],
    ['kms:Decrypt', key('BucketKey'), viaS3, true],
    // What is there stays; and what is not its own it neither writes nor reads.
    ['s3:PutObject', `${vault}members/bank-a/00000001.json`, over, false],
    ['s3:PutObject', `${vault}deliveries/bank-a/00000001.json`, once, false],
    ['s3:PutObject', `${vault}chain/consortium/manifests/00000001.json`, once, false],
    ['s3:PutObject', `${vault}sets/validator-1/manifests/00000001.json`, once, false],
    ['s3:PutObject', `${vault}leases/consortium/a/00000001.json`, once, false],
    ['s3:PutObject', `${vault}keys/a.pem`, once, false],
    ['s3:PutObject', 'arn:aws:s3:::Backup-Storage-Vault/other/members/bank-a/00000001.json', once, false],
    ['s3:PutObjectRetention', `${vault}members/bank-a/00000001.json`, {}, false],
    ['s3:DeleteObject', `${vault}members/bank-a/00000001.json`, {}, false],
    ['s3:GetObject', `${vault}sets/validator-1/runs/a/1/participant`, {}, false],
    ['s3:GetObject', `${vault}sets/validator-1/manifests/00000001.json`, {}, false],
    ['s3:GetObject', 'arn:aws:s3:::Backup-Storage-Vault/acme-2/members/bank-a/00000001.json', {}, false],
    ['kms:Decrypt', key('BucketKey'), {}, false],
    ['kms:Decrypt', key('EnvelopeKey'), viaS3, false],
    ['kms:Sign', key('SigningKey'), {}, false],
    ['sts:AssumeRole', `arn:aws:iam::${ACCOUNT}:role/ledgerhold-acme-delivery`, {}, false],
    ['secretsmanager:GetSecretValue', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:a-AbCdEf`, {}, false],
  ])('%s on %s (%j) is %s', async (action, resource, context, allowed) => {
    expect(await iam({ role: 'MemberApi/Answer', action, resource, context })).toBe(allowed);
  });

  test('of a bucket that somebody else has made of that name it gets nothing', async () => {
    const call = { role: 'MemberApi/Answer', action: 's3:PutObject', resource: `${vault}members/a/00000001.json` };
    expect(await iam({ ...call, context: once, account: '999999999999' })).toBe(false);
  });
});
