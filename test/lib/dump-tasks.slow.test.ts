import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { captureSources, fargateNodes } from '../../config/capture-sources.ts';
import { parseConfig } from '../../config/parse.ts';
import { CaptureSources, DumpPlaces } from '../../core/capture-sources.ts';
import { NetworkName } from '../../core/names.ts';
import { LedgerBackup } from '../../lib/ledger-backup.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';

const SECRET = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:participant-AbCdEf';
const PLACE = `
    vpc: { id: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d, subnet-0b2c3d4e], securityGroups: [sg-0a1b2c3d] }
    fargate: { cpu: 512, memory: 4096 }`;

const configWith = (place: string, participant = `url: { secretsManager: '${SECRET}' }`) =>
  parseConfig(
    'ledgerhold.yaml',
    `
network: acme
vault: { folder: ./vault }
encryption: none
signing: { keyFile: ./key.pem }
nodes:
  - name: sync-1
    protocol: canton
    rateLimit: 50 MB/s${place}
    components:
      sequencer: { postgres: { url: 'postgres://backup@db.example.com:5432/sequencer' } }
      participant: { postgres: { ${participant} } }
`,
  );

const folder = mkdtempSync(join(tmpdir(), 'ledgerhold-dumps-'));
afterAll(() => rmSync(folder, { recursive: true }));

function deployment(place: string, context: Record<string, unknown> = { [UNBUNDLED]: true }) {
  const config = configWith(place);
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), context });
  const stack = new Stack(app, 'Test');
  const sources = { captures: captureSources(config), fargate: fargateNodes(config) };
  const backup = new LedgerBackup(stack, 'LedgerBackup', { network: NetworkName.parse('acme'), ...sources });
  return { app, stack, backup };
}

describe('a node with fargate', () => {
  test('has its databases dumped in tasks: by address or by a secret’s ARN, and by nothing of this machine', () => {
    const sources = captureSources(configWith(PLACE));
    expect(sources).toEqual({
      'sync-1': {
        sequencer: {
          dump: {
            at: 'postgres://db.example.com:5432/sequencer',
            database: { url: 'postgres://backup@db.example.com:5432/sequencer', bytesPerSecond: 50_000_000 },
          },
        },
        participant: {
          dump: {
            at: 'an address that is a secret',
            database: { urlSecretArn: SECRET, bytesPerSecond: 50_000_000 },
          },
        },
      },
    });
    expect(CaptureSources.parse(sources)).toEqual(sources);
  });

  test.each([
    [`url: { env: URL }`],
    [`url: 'postgres://u@h/d', via: docker exec -i db`],
    [`url: 'postgres://u@h/d', tools: /opt/pg`],
    [`url: 'postgres://u@h/d', sslRootCert: ./ca.pem`],
    [`url: 'postgres://u@h/d', database: { command: printenv DB }`],
  ])('leaves elsewhere what a task cannot have: %s', (participant) => {
    const sources = captureSources(configWith(PLACE, participant))['sync-1'];
    expect(sources?.['participant']).toMatchObject({ elsewhere: { kind: 'postgres' } });
  });

  test('needs a vpc, and says so with the line', () => {
    expect(() => configWith('\n    fargate: {}')).toThrow('fargate needs vpc');
  });
});

describe('its tasks', () => {
  let made: ReturnType<typeof deployment>;
  let template: Template;
  beforeAll(() => {
    made = deployment(PLACE);
    template = Template.fromStack(made.stack);
  }, 60_000);

  test('are as large as configured, and are told where the vault is and no secret', () => {
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ...{ Cpu: '512', Memory: '4096', RequiresCompatibilities: ['FARGATE'], NetworkMode: 'awsvpc' },
      ContainerDefinitions: [Match.objectLike({ Name: 'dump', Essential: true })],
    });
    const [definition] = Object.values(template.findResources('AWS::ECS::TaskDefinition'));
    const names = definition?.['Properties'].ContainerDefinitions[0].Environment.map(
      ({ Name }: { Name: string }) => Name,
    ).sort();
    expect(names).toEqual(['ENVELOPE_KEY', 'VAULT_ACCOUNT', 'VAULT_BUCKET', 'VAULT_LOCK', 'VAULT_PREFIX']);
  });

  test('are known to the step that starts them', () => {
    const { stack, backup } = made;
    expect(stack.resolve(DumpPlaces.parse(backup.dumps?.places))).toMatchObject({
      'sync-1': { subnets: ['subnet-0a1b2c3d', 'subnet-0b2c3d4e'], securityGroups: ['sg-0a1b2c3d'] },
    });
  });

  const statementsOf = (role: Role) => {
    const id = made.stack.getLogicalId(role.node.defaultChild as never);
    return Object.values(template.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === id))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
  };
  const actionsOf = (role: Role) =>
    statementsOf(role)
      .flatMap(({ Action }) => Action)
      .sort();
  const child = (id: string) => made.backup.dumps?.node.findChild('sync-1').node.findChild(id) as Role;

  test('may write their own dumps and signs of life, seal, and read their secrets; not open, list others, or delete', () => {
    expect(actionsOf(child('TaskRole'))).toEqual([
      ...['kms:Decrypt', 'kms:GenerateDataKey', 'kms:GenerateDataKey'],
      ...['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:PutObjectRetention'],
      ...['secretsmanager:GetSecretValue'],
    ]);
    const text = JSON.stringify(statementsOf(child('TaskRole')));
    for (const part of ['leases/sync-1/*', 'runs/*/participant.dump*', 'runs/*/tasks/sequencer/*', SECRET]) {
      expect(text).toContain(part);
    }
    const puts = statementsOf(child('TaskRole')).filter(({ Action }) => Action.includes('s3:PutObject'));
    expect(JSON.stringify(puts)).not.toMatch(/receipts|manifests|"sets\/\*/);
    // Of the bucket's key, which S3 uses for it; the envelope's opens nothing here.
    const opening = statementsOf(child('TaskRole')).filter(({ Action }) => Action.includes('kms:Decrypt'));
    expect(JSON.stringify(opening)).not.toContain('EnvelopeKey');
  });

  test('are started by one step and looked at by one, in this cluster and with these roles alone', () => {
    const role = (step: 'startCapture' | 'pollCapture' | 'finishCapture') =>
      made.backup.steps[step].node.findChild('Role') as Role;
    const start = statementsOf(role('startCapture'));
    const run = start.find(({ Action }) => Action === 'ecs:RunTask');
    expect(run).toMatchObject({ Condition: { ArnEquals: { 'ecs:cluster': expect.anything() } } });
    expect(JSON.stringify(run.Resource)).not.toContain('*');
    expect(start.find(({ Action }) => Action === 'iam:PassRole')).toMatchObject({
      Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      Resource: [expect.anything(), expect.anything()],
    });
    expect(actionsOf(role('pollCapture')).filter((each) => each.startsWith('ecs'))).toEqual(['ecs:DescribeTasks']);
    expect(actionsOf(role('finishCapture')).filter((each) => /ecs|iam/.test(each))).toEqual([]);
  });

  test('leave nothing to object to', () => {
    const { app, stack } = deployment(PLACE);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
    expect(stack.node.metadata.filter(({ type }) => type.includes('error'))).toEqual([]);
    expect(process.exitCode ?? 0).toBe(0);
  });
});

test('without fargate nothing of ECS is made', () => {
  const { stack, backup } = deployment('');
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::ECS::Cluster', 0);
  expect(backup.dumps).toBeUndefined();
  expect(JSON.stringify(template.toJSON())).not.toMatch(/ecs:|iam:PassRole/);
});

test('the image is made of its Dockerfile and the one file, and the stack is made without docker', () => {
  const { app } = deployment(PLACE, {});
  const { directory } = app.synth();
  const assets = JSON.parse(readFileSync(join(directory, 'Test.assets.json'), 'utf8')).dockerImages;
  const [image] = Object.values(assets) as { source: { directory: string; platform: string } }[];
  expect(image?.source.platform).toBe('linux/amd64');
  expect(readdirSync(join(directory, image?.source.directory ?? '')).sort()).toEqual(['Dockerfile', 'index.mjs']);
}, 120_000);
