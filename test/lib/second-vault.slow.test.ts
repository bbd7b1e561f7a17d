import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, test } from '@jest/globals';
import aslValidator from 'asl-validator';
import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { secondVaultRoleName } from '../../core/deployed-names.ts';
import { NetworkName } from '../../core/names.ts';
import { definitionOf } from '../../lib/workflows/definition.ts';
import { type AlarmProperties, stateOf } from '../support/alarm-state.ts';
import { actions, COPIER, deployed, plain, ROLE, S3, statementsOf } from '../support/second-stacks.ts';
import { emitted } from '../support/workflows.ts';

const { main, second } = deployed();
if (second === undefined) throw new Error('the second vault has a stack');
const [ours, theirs] = [Template.fromStack(main), Template.fromStack(second)];

describe('the role that fills the second vault', () => {
  const own = statementsOf(ours, 'AWS::IAM::Policy', /CopyVaultRole/);

  test('has a name that the other account can rely on, within what IAM allows', () => {
    expect(JSON.stringify(ours.findResources('AWS::IAM::Role'))).toContain('"RoleName":"ledgerhold-acme_SecondVault"');
    expect(secondVaultRoleName(NetworkName.parse('x'.repeat(40))).length).toBeLessThanOrEqual(64);
  });

  test('may read the first vault, and add, read and list in the second; nothing else', () => {
    expect(actions(own)).toEqual([
      ...['kms:Decrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      ...[
        's3:AbortMultipartUpload',
        's3:GetObject',
        's3:GetObject',
        's3:ListBucket',
        's3:ListBucket',
        's3:PutObject',
        's3:PutObjectRetention',
      ],
      ...['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    ]);
    const writing = own.filter(({ Action }) => [Action].flat().includes('s3:PutObject'));
    expect(writing).toMatchObject([
      { Resource: 'arn:aws:s3:::acme-second/*', Condition: { StringEquals: { 's3:ResourceAccount': '222222222222' } } },
    ]);
  });

  test('uses keys of the other account for that bucket, through S3, and for nothing else', () => {
    const [sealing] = own.filter(({ Action }) => [Action].flat().includes('kms:GenerateDataKey'));
    expect(sealing).toMatchObject({
      Resource: 'arn:aws:kms:eu-west-1:222222222222:key/*',
      Condition: {
        StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' },
        StringLike: {
          'kms:EncryptionContext:aws:s3:arn': ['arn:aws:s3:::acme-second', 'arn:aws:s3:::acme-second/*'],
        },
      },
    });
  });
});

describe('the stack of the second vault', () => {
  const policy = statementsOf(theirs, 'AWS::S3::BucketPolicy', /Vault/);
  const allowed = policy.filter(({ Effect }) => Effect === 'Allow');
  const about = (sid: string) => policy.find(({ Sid }) => Sid === sid);

  test('is deployed into the other account and Region, and all in it outlives it', () => {
    expect(second).toMatchObject({ stackName: 'Ledgerhold-acme-Second', terminationProtection: true });
    expect(second).toMatchObject({ account: S3.account, region: S3.region });
    for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key']) {
      for (const resource of Object.values(theirs.findResources(type))) {
        expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
      }
    }
  });

  test('has the bucket of the config, with versions, locks, its own key and a log', () => {
    theirs.hasResourceProperties('AWS::S3::Bucket', {
      ...{ BucketName: 'acme-second', ObjectLockEnabled: true, VersioningConfiguration: { Status: 'Enabled' } },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
      },
    });
    expect(JSON.stringify(theirs.findResources('AWS::S3::Bucket'))).toContain('DestinationBucketName');
  });

  test('lets one role of the first account add, read and list, another tell where copies lie, and nobody do anything else', () => {
    expect(actions(allowed.filter(({ Sid = '' }) => Sid.startsWith('Filler')))).toEqual([
      ...['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:PutObjectRetention'],
    ]);
    for (const { Sid = '', Principal, Condition } of allowed) {
      expect(Principal).toEqual({ AWS: 'arn:aws:iam::111111111111:root' });
      const role = Sid.startsWith('Filler') ? ROLE : COPIER;
      expect(Condition).toEqual({ ArnEquals: { 'aws:PrincipalArn': role } });
    }
    const key = statementsOf(theirs, 'AWS::KMS::Key', /BucketKey/).filter(({ Sid }) => Sid === 'FillerSealsAndOpens');
    expect(actions(key)).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
    expect(key[0]).toMatchObject({ Condition: { ArnEquals: { 'aws:PrincipalArn': ROLE } } });
  });

  test('refuses what would overwrite, whoever asks, and any deletion by the first account', () => {
    expect(about('OnlyWriteOnce')).toMatchObject({
      ...{ Effect: 'Deny', Action: 's3:PutObject' },
      Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
    });
    expect(about('RecordsStay')).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' } });
    expect(about('FirstAccountDeletesNothing')).toMatchObject({
      Effect: 'Deny',
      Action: expect.arrayContaining(['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention']),
      Condition: { StringEquals: { 'aws:PrincipalAccount': '111111111111' } },
    });
  });

  test('may be in the same account, whose owner then keeps the right to delete', () => {
    const same = deployed({ ...S3, account: '111111111111' }).second;
    expect(JSON.stringify(same && Template.fromStack(same).toJSON())).not.toContain('FirstAccountDeletesNothing');
  });

  test('keeps to the prefix of the config, as every other reader of the vault does', () => {
    const { second: other } = deployed({ ...S3, prefix: 'networks/acme' });
    if (other === undefined) throw new Error('no stack');
    const [adding] = statementsOf(Template.fromStack(other), 'AWS::S3::BucketPolicy', /Vault/).filter(
      ({ Sid }) => Sid === 'FillerAddsAndReads',
    );
    expect(adding?.Resource).toMatch(/\/networks\/acme\/\*$/);
  });

  test('is not there without a second vault on AWS, and neither are role, workflow and alarm', () => {
    for (const none of [null, { ...S3, endpoint: 'https://s3.example.com' }]) {
      const made = deployed(none);
      expect(made.second).toBeUndefined();
      const text = JSON.stringify(Template.fromStack(made.main).toJSON());
      expect(text).not.toMatch(/SECOND_BUCKET|acme-second|acme-SECOND/);
    }
  });
});

describe('IAM, with the policies of both accounts', () => {
  const identity = statementsOf(ours, 'AWS::IAM::Policy', /CopyVaultRole/);
  const bucket = JSON.parse(
    JSON.stringify(statementsOf(theirs, 'AWS::S3::BucketPolicy', /Vault/)).replaceAll(
      '<Vault>',
      'arn:aws:s3:::acme-second',
    ),
  );
  const policyOf = (Statement: unknown) => ({ Version: '2012-10-17', Statement });
  const ALL = policyOf([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]);

  async function may(
    action: string,
    context: Record<string, string> = {},
    { principal = ROLE, policy = policyOf(identity), key = 'sets/one/manifests/00000001.json' } = {},
  ) {
    const resource = `arn:aws:s3:::acme-second${action === 's3:ListBucket' ? '' : `/${key}`}`;
    const result = await runSimulation(
      {
        request: {
          ...{ principal, action, resource: { resource, accountId: '222222222222' } },
          contextVariables: {
            ...{ 'aws:PrincipalArn': principal, 'aws:PrincipalAccount': '111111111111' },
            ...{ 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:ResourceAccount': '222222222222' },
            ...context,
          },
        },
        identityPolicies: [{ name: 'own', policy }],
        ...{ serviceControlPolicies: [], resourceControlPolicies: [], resourcePolicy: policyOf(bucket) },
      },
      {},
    );
    if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
    return result.overallResult === 'Allowed';
  }

  const once = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' };
  const OTHER = { principal: 'arn:aws:iam::111111111111:role/admin', policy: ALL };

  test('lets the role add once, add parts, read and list', async () => {
    expect(await may('s3:PutObject', once)).toBe(true);
    expect(await may('s3:PutObject', { 's3:ObjectCreationOperation': 'false' })).toBe(true);
    expect(await may('s3:GetObject')).toBe(true);
    expect(await may('s3:ListBucket')).toBe(true);
  });

  test('lets it overwrite nothing, and nothing over a line without TLS', async () => {
    expect(await may('s3:PutObject', { 's3:ObjectCreationOperation': 'true' })).toBe(false);
    expect(await may('s3:GetObject', { 'aws:SecureTransport': 'false' })).toBe(false);
  });

  test.each(['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectLegalHold'])(
    'lets it not %s, whatever its own account gives it',
    async (action) => {
      expect(await may(action)).toBe(false);
      expect(await may(action, {}, { policy: ALL, principal: ROLE })).toBe(false);
    },
  );

  test('lets the role that has snapshots copied say once where a copy lies, and add or take nothing else', async () => {
    const own = policyOf(statementsOf(ours, 'AWS::IAM::Policy', /CopySnapshotsRole/));
    const copy = { principal: COPIER, policy: own, key: 'sets/one/runs/slot/1/copies/participant.json' };
    expect(await may('s3:PutObject', once, copy)).toBe(true);
    expect(await may('s3:GetObject', {}, copy)).toBe(true);
    expect(await may('s3:PutObject', { 's3:ObjectCreationOperation': 'true' }, copy)).toBe(false);
    expect(await may('s3:PutObject', once, { ...copy, principal: ROLE.replace('SecondVault', 'Other') })).toBe(false);
    for (const policy of [own, ALL]) {
      expect(await may('s3:DeleteObject', {}, { ...copy, policy })).toBe(false);
      for (const key of ['sets/one/manifests/00000001.json', 'sets/one/runs/slot/1/participant.snapshot.json']) {
        expect(await may('s3:PutObject', once, { principal: COPIER, policy, key })).toBe(false);
      }
    }
  });

  test('lets nobody else of the first account in, be it an administrator', async () => {
    for (const action of ['s3:GetObject', 's3:ListBucket', 's3:DeleteObject'])
      expect(await may(action, {}, OTHER)).toBe(false);
    expect(await may('s3:PutObject', once, OTHER)).toBe(false);
  });

  test('lets the role do nothing that its own account does not give it', async () => {
    expect(await may('s3:GetObject', {}, { principal: ROLE, policy: policyOf([]) })).toBe(false);
  });
});

describe('the copy', () => {
  test('is deployed as the build has written it, and valid to the validator of the language', () => {
    const { secondVault } = main.backup;
    if (secondVault === undefined) throw new Error('the first group has it');
    expect(definitionOf(secondVault.workflow.stateMachine, secondVault.all)).toEqual(emitted('second-vault'));
    const text = JSON.stringify(emitted('second-vault'));
    const bound = JSON.parse(text.replaceAll(/\$\{(\w+)\}/g, 'arn:aws:lambda:eu-central-1:111111111111:function:$1'));
    expect(aslValidator(bound, { checkArn: true, checkPaths: true })).toMatchObject({ isValid: true });
  });

  test('is started every hour by a role that may start nothing else', () => {
    ours.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(1 hour)' });
    const starting = statementsOf(ours, 'AWS::IAM::Policy', /SecondVaultScheduleRole/);
    expect(starting).toMatchObject([
      { Action: 'states:StartExecution', Resource: expect.stringMatching(/SecondVaultWorkflow/) },
    ]);
  });
});

describe('SECOND_VAULT_BEHIND', () => {
  const [alarm] = Object.values(ours.findResources('AWS::CloudWatch::Alarm'))
    .map(({ Properties }) => Properties as AlarmProperties)
    .filter(({ AlarmName }) => AlarmName === 'ledgerhold-acme_SECOND_VAULT_BEHIND');

  test('counts what AWS counts of the very state machine, in whole hours', () => {
    expect(alarm).toMatchObject({ Namespace: 'AWS/States', MetricName: 'ExecutionsSucceeded', Period: 3600 });
    expect(plain(alarm?.Dimensions)).toEqual([
      { Name: 'StateMachineArn', Value: expect.stringMatching(/SecondVaultWorkflow/) },
    ]);
  });

  test('is raised by two hours without a copy that ended well, and not by one', () => {
    if (alarm === undefined) throw new Error('no such alarm');
    const dimensions = Object.fromEntries(alarm.Dimensions.map(({ Name, Value }) => [Name, Value])) as never;
    const ended = [{ namespace: 'AWS/States', name: 'ExecutionsSucceeded', dimensions, value: 1 }];
    expect(stateOf(alarm, [ended, ended])).toBe('OK');
    expect(stateOf(alarm, [ended, []])).toBe('OK');
    expect(stateOf(alarm, [[], []])).toBe('ALARM');
    const failed = [{ namespace: 'AWS/States', name: 'ExecutionsFailed', dimensions, value: 1 }];
    expect(stateOf(alarm, [failed, failed])).toBe('ALARM');
  });
});

test('cdk-nag finds nothing but what is acknowledged, in both accounts', () => {
  const { app } = deployed();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  expect(() => app.synth()).not.toThrow();
}, 60_000);
