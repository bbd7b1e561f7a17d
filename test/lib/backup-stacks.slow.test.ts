import { describe, expect, test } from '@jest/globals';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Config } from '../../config/schema.ts';
import { AskedRun, asRun } from '../../core/run.ts';
import { backupProps } from '../../lib/backup-props.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { LedgerBackup } from '../../lib/ledger-backup.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';

const aws = { account: '111111111111', region: 'eu-central-1', tags: { team: 'ledger' } };
const place = { id: 'vpc-0a1b2c3d', subnets: ['subnet-0a1b2c3d'], securityGroups: ['sg-0a1b2c3d'] };
const components = { participant: { rds: 'p' }, mediator: { rds: 'm' } };
const canton = (name: string, more: object = {}) => ({ name, protocol: 'canton', components, ...more });

function stacksOf(nodes: readonly object[], more: object = {}) {
  const parts = { network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } };
  const config = Config.parse({ ...parts, timeZone: 'Europe/Zurich', nodes, aws, ...more });
  return backupStacks(new App({ context: { [UNBUNDLED]: true } }), config);
}
const templatesOf = (...given: Parameters<typeof stacksOf>) =>
  stacksOf(...given).map((stack) => Template.fromStack(stack));

interface ScheduleProperties {
  readonly ScheduleExpression: string;
  readonly State: string;
  readonly Target: { readonly Input: string };
}
/** Of runs; the watchdog and retention have their own. */
const schedulesOf = (template: Template): ScheduleProperties[] =>
  Object.entries(template.findResources('AWS::Scheduler::Schedule'))
    .filter(([id]) => !/Watchdog|Retention/.test(id))
    .map(([, { Properties }]) => Properties);

describe('a network', () => {
  const [small] = templatesOf([canton('one'), canton('two', { enabled: false, every: '1 day' })]);

  test('that is small is one protected stack, with its tags, where the config says', () => {
    const [stack, ...more] = stacksOf([canton('one')]);
    expect(more).toEqual([]);
    expect(stack).toMatchObject({ stackName: 'Ledgerhold-acme', terminationProtection: true });
    expect(stack).toMatchObject({ account: '111111111111', region: 'eu-central-1' });
    const tags = ['managed-by', 'network', 'team'].map((Key) => Match.objectLike({ Key }));
    small?.hasResourceProperties('AWS::S3::Bucket', { Tags: Match.arrayWith(tags) });
  });

  test('has a state machine that is found by its name, and no other fixed name', () => {
    small?.hasResourceProperties('AWS::StepFunctions::StateMachine', { StateMachineName: 'ledgerhold-acme_Backup' });
    const named = Object.values<{ Type: string; Properties?: object }>(small?.toJSON().Resources ?? {}).filter(
      ({ Type, Properties = {} }) =>
        // It configures a function that it names by reference.
        Type !== 'AWS::Lambda::EventInvokeConfig' &&
        ['RoleName', 'BucketName', 'FunctionName', 'QueueName', 'AliasName', 'LogGroupName', 'Name'].some(
          (key) => key in Properties,
        ),
    );
    expect(named).toEqual([]);
  });

  test('keeps what it has stored, and its keys, when the stack is removed', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key']) {
      for (const resource of Object.values(small?.findResources(type) ?? {})) {
        expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
      }
    }
  });
});

describe('a schedule', () => {
  const [template] = templatesOf([canton('one'), canton('two', { enabled: false, every: '1 day' })]);
  const schedules = () => (template === undefined ? [] : schedulesOf(template));

  test('is there for each node, every 4 hours in the time zone unless the config says otherwise', () => {
    expect(schedules()).toMatchObject([
      { ScheduleExpression: 'cron(0 0,4,8,12,16,20 * * ? *)', State: 'ENABLED' },
      { ScheduleExpression: 'cron(0 0 * * ? *)', State: 'DISABLED' },
    ]);
    for (const each of schedules()) expect(each).toMatchObject({ ScheduleExpressionTimezone: 'Europe/Zurich' });
  });

  test('starts at its instant, is tried again for an hour, and leaves what failed in an encrypted queue', () => {
    for (const each of schedules()) {
      expect(each).toMatchObject({
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
          DeadLetterConfig: { Arn: expect.anything() },
        },
      });
    }
    template?.hasResourceProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
  });

  test('asks for a run that the first step takes, once EventBridge has filled in the time', () => {
    const [first] = schedules();
    const { run } = JSON.parse(String(first?.Target.Input)) as { run: unknown };
    const asked = AskedRun.parse(run);
    expect(() => asRun(asked)).toThrow(expect.objectContaining({ name: 'NotASlot' }));
    expect(asRun({ ...asked, slot: '2026-11-21T08:00:00Z' })).toMatchObject({
      ...{ node: 'one', slot: '2026-11-21T08:00:00Z', reason: 'schedule', maxSpreadSeconds: 21_600 },
      components: Object.keys(components).map((component) => ({ component, role: component })),
    });
  });

  test('starts runs of this network with a role that may do nothing else', () => {
    template?.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: Match.objectLike({
        Statement: [
          Match.objectLike({ Action: 'states:StartExecution' }),
          Match.objectLike({ Action: 'sqs:SendMessage' }),
        ],
      }),
      Roles: [{ Ref: Match.stringLikeRegexp('SchedulesRole') }],
    });
  });

  test('that EventBridge cannot say is refused before anything is deployed', () => {
    expect(() => stacksOf([canton('one', { every: '90 minutes' })])).toThrow(
      expect.objectContaining({ name: 'NotACron' }),
    );
  });
});

describe('a node in a private network', () => {
  const [main, own] = templatesOf([canton('public'), canton('private', { vpc: place })]);

  test('has a stack with steps and a state machine of its own, over the same vault', () => {
    own?.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'ledgerhold-acme_Group2_Backup',
    });
    own?.resourceCountIs('AWS::S3::Bucket', 0);
    expect(main && schedulesOf(main)).toHaveLength(1);
    expect(own && schedulesOf(own)).toHaveLength(1);
  });

  test('is captured from inside it; claiming, sealing and telling stay outside', () => {
    const inside = Object.entries(own?.findResources('AWS::Lambda::Function') ?? {}).filter(
      ([, { Properties }]) => Properties.VpcConfig !== undefined,
    );
    expect(inside).toEqual([[expect.stringContaining('StartCapture'), expect.anything()]]);
    expect(inside[0]?.[1]).toMatchObject({
      Properties: { VpcConfig: { SubnetIds: place.subnets, SecurityGroupIds: place.securityGroups } },
    });
    for (const each of Object.values(main?.findResources('AWS::Lambda::Function') ?? {})) {
      expect(each).not.toHaveProperty('Properties.VpcConfig');
    }
  });

  test('has its identities sealed with the network’s one key, which the watchdog looks at', () => {
    const auth = { tokenUrl: 'https://a.example.com', clientId: 'c', audience: 'b' };
    const clientSecret = { secretsManager: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:c-AbCdEf' };
    const identities = { url: 'https://v.example.com', auth: { ...auth, clientSecret } };
    const components = { 'validator-app': { rds: 'v' }, participant: { rds: 'p' } };
    const splice = { name: 'private', protocol: 'splice', vpc: place, identities, components };
    const [first, second] = templatesOf([canton('public'), splice]);
    second?.resourceCountIs('AWS::KMS::Key', 0);
    const turns = Object.values(first?.findResources('AWS::Scheduler::Schedule') ?? {}).map(({ Properties }) =>
      JSON.stringify(Properties.Target.Input),
    );
    // Keys are measured once in a network, by the turn of the first group.
    expect(turns.filter((turn) => turn.includes('IdentitiesKey'))).toEqual([
      expect.stringMatching(/ofNetwork.{3}true/),
    ]);
  });

  test('tells which endpoints its captures need', () => {
    expect(JSON.stringify(own?.findOutputs('*'))).toContain('com.amazonaws.eu-central-1.secretsmanager');
  });
});

test('cdk-nag finds nothing but what is acknowledged in any of the stacks', () => {
  const [main] = stacksOf([canton('public'), canton('private', { vpc: place })]);
  const app = main?.node.root as App;
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  expect(() => app.synth()).not.toThrow();
}, 60_000);

test('an app of one’s own is given the same as our stacks: what the config says of lock, retention and listeners', () => {
  const objectLock = { mode: 'governance', records: '30 days', artifacts: '7 days' };
  const parts = { network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } };
  const asked = { retention: { keepLast: 3 }, notify: { emails: ['a@example.com'] }, timeZone: 'Europe/Zurich' };
  const config = Config.parse({ ...parts, ...asked, nodes: [canton('one')], aws: { ...aws, objectLock } });
  const [props] = backupProps(config);
  const stack = new Stack(new App({ context: { [UNBUNDLED]: true } }), 'Own', { env: aws });
  new LedgerBackup(stack, 'LedgerBackup', props);
  const [ours] = backupStacks(new App({ context: { [UNBUNDLED]: true } }), config);
  const types = (template: Template) =>
    Object.values<{ Type: string }>(template.toJSON()['Resources'])
      .map(({ Type }) => Type)
      .toSorted();
  expect(props).toMatchObject({ retention: { keepLast: 3 }, listeners: { emails: ['a@example.com'] }, group: 1 });
  expect(props.lock).toEqual({ mode: 'GOVERNANCE', recordDays: 30, artifactDays: 7 });
  expect(ours && types(Template.fromStack(ours))).toEqual(types(Template.fromStack(stack)));
});
