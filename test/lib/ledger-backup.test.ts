import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import aslValidator from 'asl-validator';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { NetworkName } from '../../core/names.ts';
import type { AnyStep } from '../../core/step.ts';
import { LedgerBackup } from '../../lib/ledger-backup.ts';
import { type StepLambda, UNBUNDLED } from '../../lib/step-lambda.ts';
import { definitionOf } from '../../lib/workflows/definition.ts';
import { emitted } from '../support/workflows.ts';

const SECRET = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:validator-AbCdEf';
const captures = {
  'validator-1': {
    identities: {
      identities: {
        url: 'https://validator.example.com/api/validator',
        auth: { tokenUrl: 'https://auth.example.com/token', clientId: 'backup', clientSecretArn: SECRET },
      },
    },
    participant: { elsewhere: { kind: 'postgres', at: 'postgres://db/participant' } },
  },
};

const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-synth-'));
afterAll(() => rmSync(folder, { recursive: true }));

function deployment() {
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context: { [UNBUNDLED]: true } });
  const stack = new Stack(app, 'Test');
  const backup = new LedgerBackup(stack, 'LedgerBackup', { network: NetworkName.parse('acme'), captures });
  return { app, stack, backup };
}

let backup: LedgerBackup;
let template: Template;

beforeAll(() => {
  const made = deployment();
  backup = made.backup;
  template = Template.fromStack(made.stack);
}, 60_000);

describe('the workflow', () => {
  test('that the build has written is the one that is deployed, whatever the config', () => {
    const deployed = definitionOf(backup.workflow.stateMachine, backup.steps.all);
    expect({ hint: 'if not: node --run build', definition: emitted('backup') }).toMatchObject({ definition: deployed });
    expect(deployed).toEqual(emitted('backup'));
  });

  test('is valid to the validator of the language', () => {
    const text = JSON.stringify(emitted('backup'));
    const bound = JSON.parse(text.replaceAll(/\$\{(\w+)\}/g, 'arn:aws:lambda:eu-central-1:111111111111:function:$1'));
    expect(aslValidator(bound, { checkArn: true, checkPaths: true })).toMatchObject({ isValid: true });
  });

  test('logs every event and none of its data', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
    });
  });
});

describe('a step', () => {
  const environmentOf = ({ lambda }: StepLambda<AnyStep>) => {
    const id = Stack.of(lambda).resolve(lambda.functionArn)['Fn::GetAtt'][0];
    return Object.keys(template.toJSON().Resources[id].Properties.Environment?.Variables ?? {});
  };

  test('has the environment that its contract names, and runs on Node 24', () => {
    for (const each of backup.steps.all) expect(new Set(environmentOf(each))).toEqual(new Set(each.step.env));
    const traced = { TracingConfig: { Mode: 'Active' } };
    const common = { Runtime: 'nodejs24.x', Architectures: ['arm64'], ...traced };
    template.allResourcesProperties('AWS::Lambda::Function', common);
  });

  const vault = ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'];
  /** Who writes more than leases locks what it writes. */
  const lock = 's3:PutObjectRetention';
  const logs = [
    ...['logs:CreateLogStream', 'logs:PutLogEvents'],
    ...['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  ];
  const key = ['kms:Decrypt', 'kms:GenerateDataKey'];
  test.each([
    ['ClaimSlot', [...logs, ...vault, lock, ...key]],
    ['Preflight', logs],
    ['PlanWaves', logs],
    [
      'StartCapture',
      [
        ...[...logs, ...vault, lock, ...key, 'kms:GenerateDataKey', 'secretsmanager:GetSecretValue'],
        ...['secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret', ...key],
      ],
    ],
    ['PollCapture', [...logs, ...vault, ...key]],
    ['FinishCapture', [...logs, ...vault, lock, ...key]],
    ['SealManifest', [...logs, ...vault, lock, ...key, 'kms:Sign', 'kms:GetPublicKey']],
    [
      'PromoteIdentities',
      [...logs, 's3:ListBucket', 's3:GetObject', ...key, 'secretsmanager:UpdateSecretVersionStage'],
    ],
    ['FailRun', [...logs, ...vault, ...key]],
  ])('may do what it needs and nothing more: %s', (name, actions) => {
    expect(
      statements(name)
        .flatMap(({ Action }) => Action)
        .toSorted(),
    ).toEqual(actions.toSorted());
  });

  test('seals with the envelope key and does not open with it', () => {
    const envelope = Stack.of(backup).resolve(backup.storage.envelopeKey.keyArn);
    const used = template.findResources('AWS::IAM::Policy');
    const rights = Object.values(used)
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
      .filter(({ Resource }) => JSON.stringify(Resource) === JSON.stringify(envelope));
    expect(rights.map(({ Action }) => Action)).toEqual(['kms:GenerateDataKey']);
  });

  test('is refused sources that its environment cannot hold, before anything is deployed', () => {
    const stack = new Stack(new App({ context: { [UNBUNDLED]: true } }), 'Large');
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`node-${n}`, captures['validator-1']]));
    const network = NetworkName.parse('acme');
    expect(() => new LedgerBackup(stack, 'LedgerBackup', { network, captures: many })).toThrow(
      expect.objectContaining({ name: 'CapturesTooLarge' }),
    );
  });

  test('reads the secrets that the captures name and no others', () => {
    expect(statements('StartCapture')).toContainEqual(
      expect.objectContaining({ Action: 'secretsmanager:GetSecretValue', Resource: SECRET }),
    );
  });
});

describe('the secret of a node', () => {
  const arn = () => Stack.of(backup).resolve(backup.identities.arns)[0];

  test('begins with a placeholder, has a key of its own, and outlives the stack', () => {
    template.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: Match.objectLike({
        Name: 'ledgerhold/acme/validator-1/identities',
        SecretString: '{"format":"ledgerhold/identities-secret/1","placeholder":true}',
        KmsKeyId: Stack.of(backup).resolve(backup.identities.key?.keyArn),
      }),
    });
  });

  test('is written by one role, which opens its key for that secret through Secrets Manager alone', () => {
    const own = statements('StartCapture').filter(({ Resource }) => JSON.stringify(Resource) === JSON.stringify(arn()));
    expect(own.map(({ Action }) => Action)).toEqual([
      ['secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret'],
    ]);
    expect(statements('StartCapture')).toContainEqual({
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: Stack.of(backup).resolve(backup.identities.key?.keyArn),
      Condition: {
        StringEquals: {
          'kms:ViaService': { 'Fn::Join': ['', ['secretsmanager.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
          'kms:EncryptionContext:SecretARN': [arn()],
        },
      },
    });
  });

  test('can be read by no role, and made current by one', () => {
    const rights = Object.values(template.findResources('AWS::IAM::Policy'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
      .filter(({ Resource }) => JSON.stringify(Resource).includes(JSON.stringify(arn())))
      .flatMap(({ Action }) => Action);
    expect(rights.toSorted()).toEqual([
      ...['secretsmanager:DescribeSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
    ]);
    expect(statements('PromoteIdentities')).toContainEqual(
      expect.objectContaining({ Action: 'secretsmanager:UpdateSecretVersionStage', Resource: arn() }),
    );
  });

  test('is made only for a node whose identities are captured here', () => {
    const stack = new Stack(new App({ context: { [UNBUNDLED]: true } }), 'Without');
    new LedgerBackup(stack, 'LedgerBackup', { network: NetworkName.parse('acme'), captures: {} });
    Template.fromStack(stack).resourceCountIs('AWS::SecretsManager::Secret', 0);
    // The bucket's, the envelope's, the signing one, and that of the alarms' topics.
    Template.fromStack(stack).resourceCountIs('AWS::KMS::Key', 4);
  });
});

describe('the vault', () => {
  test('keeps versions and locks, under a key of its own, closed to the public, and outlives the stack', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: Match.objectLike({
        VersioningConfiguration: { Status: 'Enabled' },
        ObjectLockEnabled: true,
        BucketEncryption: Match.objectLike({
          ServerSideEncryptionConfiguration: [
            Match.objectLike({ ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }) }),
          ],
        }),
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      }),
    });
  });

  test('refuses a write that could overwrite, parts of an upload excepted, and anything without TLS', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:PutObject',
            Principal: '*',
            Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
          }),
        ]),
      }),
    });
  });

  test('is signed for with ECDSA P-256', () => {
    template.hasResourceProperties('AWS::KMS::Key', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  });
});

test('cdk-nag finds nothing but what is acknowledged, and finds what is added', () => {
  const synth = (spoil: (steps: LedgerBackup['steps']) => void) => {
    const { app, backup: other } = deployment();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    spoil(other.steps);
    return () => app.synth();
  };
  const everything = new PolicyStatement({ actions: ['s3:*'], resources: ['*'] });
  expect(synth(() => {})).not.toThrow();
  expect(synth(({ pollCapture }) => pollCapture.lambda.addToRolePolicy(everything))).toThrow('[Action::s3:*]');
});

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

function statements(step: string): Statement[] {
  const policies = template.findResources('AWS::IAM::Policy');
  const own = Object.entries(policies).filter(([id]) => id.includes(`Steps${step}Role`));
  return own.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
}
