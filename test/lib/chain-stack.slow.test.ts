import { describe, expect, test } from '@jest/globals';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Config } from '../../config/schema.ts';
import { AskedChainRun } from '../../core/chain.ts';
import { NetworkName } from '../../core/names.ts';
import { watchdog } from '../../lambdas/watchdog/contract.ts';
import { backupStacks, ChainStack } from '../../lib/backup-stacks.ts';
import { ChainBackup } from '../../lib/chain-backup.ts';
import { chainNodes } from '../../lib/chain-nodes.ts';
import { LedgerBackup } from '../../lib/ledger-backup.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';
import { iamOf } from '../support/iam.ts';

const SECRET = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:rpc-AbCdEf';
const chain = (more: object = {}) => ({
  ...{ name: 'consortium', protocol: 'ethereum', client: 'besu', enabled: true, timesADay: 4 },
  monitor: { rpc: 'http://10.0.0.5:8545' },
  validators: [{ name: 'bank-a', rpc: { secretsManager: SECRET } }],
  ...more,
});

const BANK = { id: 'bank-a', account: '222222222222', bucket: 'bank-a-files', region: 'eu-west-1' };
const PARTS = { network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } };

function appOf(node: object, more: object = {}) {
  const app = new App({ context: { [UNBUNDLED]: true } });
  const aws = { account: '111111111111', region: 'eu-central-1' };
  const stacks = backupStacks(app, Config.parse({ ...PARTS, timeZone: 'Europe/Zurich', nodes: [node], aws, ...more }));
  const own = stacks.find((stack): stack is ChainStack => stack instanceof ChainStack);
  if (own === undefined) throw new Error('there is no stack of a chain');
  return { app, main: Template.fromStack(stacks[0]), own, template: Template.fromStack(own) };
}

const { main, own, template } = appOf(chain());

describe('a chain on AWS', () => {
  test('is a protected stack of its own, with a state machine that is found by its name', () => {
    expect(own).toMatchObject({ stackName: 'Ledgerhold-acme-Chain-consortium', terminationProtection: true });
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'ledgerhold-acme_consortium',
      LoggingConfiguration: Match.objectLike({ IncludeExecutionData: false }),
    });
  });

  test.each([
    [1, false],
    [4, true],
  ])(
    'is started every hour, %i times a day or off (%s) as it is configured: the vault may say otherwise',
    (timesADay, enabled) => {
      const { template: changed } = appOf(chain({ timesADay, enabled }));
      changed.hasResourceProperties('AWS::Scheduler::Schedule', {
        ...{ ScheduleExpression: 'cron(0 * * * ? *)', ScheduleExpressionTimezone: 'Europe/Zurich', State: 'ENABLED' },
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: Match.objectLike({ RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 } }),
      });
      changed.hasResourceProperties('AWS::Lambda::Function', {
        Environment: {
          Variables: Match.objectLike({ TICK: JSON.stringify({ enabled, timesADay, timeZone: 'Europe/Zurich' }) }),
        },
      });
    },
  );

  test.each([0, 5, 1.5])('is refused at %d times a day', (timesADay) => {
    expect(() => appOf(chain({ timesADay }))).toThrow(/timesADay/);
  });

  test('starts runs that the workflow takes', () => {
    const [schedule] = Object.values(template.findResources('AWS::Scheduler::Schedule'));
    const { run } = JSON.parse(schedule?.['Properties'].Target.Input);
    expect(AskedChainRun.parse({ ...run, slot: '2026-11-24T06:00:00Z' })).toMatchObject({ node: 'consortium' });
    expect(run.slot).toBe('<aws.scheduler.scheduled-time>');
  });

  test('is watched by the watchdog of the network, and has its alarms', () => {
    const inputs = Object.entries(main.findResources('AWS::Scheduler::Schedule'))
      .filter(([id]) => id.includes('Watchdog'))
      .map(([, { Properties }]) => watchdog.input.parse(JSON.parse(Properties.Target.Input)));
    expect(inputs.flatMap(({ nodes }) => nodes)).toMatchObject([{ node: 'consortium', chain: { enabled: true } }]);
    const names = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties.AlarmName,
    );
    for (const name of ['consortium_CONSENSUS_STALLED', 'consortium_chain_RPO_EXCEEDED', 'consortium_SCHEDULE_SILENT'])
      expect(names).toContain(`ledgerhold-acme_${name}`);
  });

  test('whose nodes only one machine can find is refused by name', () => {
    expect(() => appOf(chain({ monitor: { rpc: { env: 'RPC' } } }))).toThrow(/out of a Lambda's reach/);
  });

  test('with more validators than an environment names is refused by name', () => {
    const validators = Array.from({ length: 60 }, (_, n) => ({
      name: `v${n}`,
      rpc: `https://v${n}.example.com/rpc/long-enough`,
    }));
    expect(() => appOf(chain({ validators }))).toThrow(/has room for/);
  });

  test.each([
    ['s3, kms, secretsmanager', []],
    ['s3, kms, secretsmanager, states', [BANK]],
  ])('in a private network tells which endpoints it calls: %s', (services, members) => {
    const vpc = { id: 'vpc-0a1b2c3d', subnets: ['subnet-0a1b2c3d'], securityGroups: ['sg-0a1b2c3d'] };
    const { template: inside } = appOf(chain({ vpc }), { members });
    const endpoints = services.split(', ').map((service) => `com.amazonaws.eu-central-1.${service}`);
    inside.hasOutput('Endpoints', { Value: endpoints.join(', ') });
  });

  test('passes AwsSolutions', () => {
    const { app: checked } = appOf(chain());
    Validations.of(checked).addPlugins(new AwsSolutionsChecks(checked));
    expect(() => checked.synth()).not.toThrow();
  });
});

test.each([
  [{ aws: undefined, members: [BANK] }, 1],
  [{ members: [BANK] }, 0],
])('a config without `aws` is warned that it makes no API of its members: %j', (more, warnings) => {
  const app = new App({ context: { [UNBUNDLED]: true } });
  const aws = { account: '111111111111', region: 'eu-central-1' };
  const [stack] = backupStacks(app, Config.parse({ ...PARTS, nodes: [chain()], aws, ...more }));
  const found = Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('no API of members'));
  expect(found).toHaveLength(warnings);
});

describe('the roles of a chain', () => {
  // In one stack: what lies in another one is known at deployment only.
  const together = new App({ context: { [UNBUNDLED]: true } });
  const stack = new Stack(together, 'Together');
  const network = NetworkName.parse('acme');
  const { storage, watch } = new LedgerBackup(stack, 'Backup', { network, captures: {} });
  const [props] = chainNodes(Config.parse({ ...PARTS, nodes: [chain()] }));
  if (props === undefined) throw new Error('there is no chain');
  new ChainBackup(stack, 'Chain', { network, chain: props, storage, watch, group: 2 });
  const may = iamOf(together);
  const vault = 'arn:aws:s3:::Backup-Storage-Vault';
  const once = { 's3:if-none-match': '*' };

  test.each([
    ['ExportRange', 's3:PutObject', 'acme/chain/consortium/a-block-0-9.rlp', true],
    ['ExportRange', 's3:PutObject', 'acme/sets/validator/manifests/00000001.json', false],
    ['ExportRange', 's3:PutObject', 'acme/keys/a.pem', false],
    ['ExportRange', 's3:PutObject', 'acme/chain/consortium/a-block-0-9-2.rlp.zst', true],
    ['ExportRange', 's3:PutObject', 'acme/chain/consortium/records/a-block-0-9.rlp.json', true],
    ['ExportRange', 's3:PutObject', 'acme/chain/consortium/manifests/00000001.json', false],
    ['ExportRange', 's3:PutObject', 'acme/chain/consortium/manifests/00000001.json.sig', false],
    ['ExportRange', 's3:PutObject', 'acme/chain/consortium/runs/a/1/agreement.json', false],
    ['ExportRange', 's3:GetObject', 'acme/sets/validator/runs/a/1/participant', false],
    ['ExportRange', 's3:DeleteObject', 'acme/chain/consortium/a-block-0-9.rlp', false],
    ['AgreeEnd', 's3:PutObject', 'acme/chain/consortium/manifests/00000001.json', false],
    ['AgreeEnd', 's3:PutObject', 'acme/chain/consortium/runs/a/1/agreement.json', true],
    ['PlanRanges', 's3:PutObject', 'acme/chain/consortium/a-block-0-9.rlp', false],
    ['SealChain', 's3:PutObject', 'acme/chain/consortium/manifests/00000001.json', true],
    ['SealChain', 's3:DeleteObject', 'acme/chain/consortium/manifests/00000001.json', false],
  ])('%s: %s of %s is %s', async (step, action, key, allowed) => {
    expect(await may({ role: `Chain/Steps/${step}`, action, resource: `${vault}/${key}`, context: once })).toBe(
      allowed,
    );
  });
});
