import { beforeAll, describe, expect, test } from '@jest/globals';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Config } from '../../config/schema.ts';
import { backupStacks } from '../../lib/backup-stacks.ts';
import { DeliveryStack } from '../../lib/delivery-stack.ts';
import { UNBUNDLED } from '../../lib/step-lambda.ts';
import { type AlarmProperties, type Datapoint, stateOf } from '../support/alarm-state.ts';
import { ACCOUNT, type Iam, iamOf, REGION } from '../support/iam.ts';

const PARTS = {
  ...{ network: 'acme', vault: { folder: 'v' }, encryption: 'none', signing: { kms: 'k' } },
  aws: { account: ACCOUNT, region: REGION },
  nodes: [
    {
      ...{ name: 'consortium', protocol: 'ethereum', client: 'besu', enabled: true, timesADay: 4 },
      monitor: { rpc: 'http://10.0.0.5:8545' },
      validators: [{ name: 'bank-a', rpc: 'http://10.0.0.6:8545' }],
    },
  ],
};
const MEMBERS = ['333333333333', '444444444444'].map((account, n) => {
  return { id: `bank-${n}`, account, bucket: `bank-${n}-files`, region: 'eu-west-1' };
});

function appOf(members: readonly object[] | undefined) {
  const app = new App({ context: { [UNBUNDLED]: true } });
  const stacks = backupStacks(app, Config.parse({ ...PARTS, ...(members && { members }) }));
  return { app, stacks, own: stacks.find((stack) => stack instanceof DeliveryStack) };
}

const { stacks, own } = appOf(MEMBERS);
if (own === undefined) throw new Error('there is no stack of deliveries');
const template = Template.fromStack(own);

describe('deliveries on AWS', () => {
  test('are a protected stack of their own, and only where the config has members with accounts', () => {
    expect(own).toMatchObject({ stackName: 'Ledgerhold-acme-Delivery', terminationProtection: true });
    expect(appOf(undefined).own).toBeUndefined();
    expect(appOf([{ id: 'bank-a', folder: './bank-a' }]).own).toBeUndefined();
  });

  test('start every hour, and are found by their names', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(1 hour)' });
    for (const name of ['ledgerhold-acme_Deliveries', 'ledgerhold-acme_Delivery']) {
      template.hasResourceProperties('AWS::StepFunctions::StateMachine', { StateMachineName: name });
    }
  });

  test('start after each seal of a chain, where there are members', () => {
    const machine = /states:.*stateMachine:ledgerhold-acme_Deliveries/;
    const sealing = (all: typeof stacks) =>
      all.flatMap((stack) =>
        Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')).filter(
          ({ Properties }) => Properties.Environment?.Variables?.DELIVERIES !== undefined,
        ),
      );
    expect(
      JSON.stringify(sealing(stacks).map(({ Properties }) => Properties.Environment.Variables.DELIVERIES)),
    ).toMatch(machine);
    expect(sealing(appOf(undefined).stacks)[0]?.['Properties'].Environment.Variables.DELIVERIES).toBe('');
  });

  test('are on the network’s dashboard, which shows nothing of them where there are none', () => {
    const boards = (all: typeof stacks) =>
      all.flatMap((stack) => Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard')));
    for (const gauge of ['MembersSuspended', 'MembersLagging', 'BackfillsStalled', 'MemberLag', 'MemberLagBlocks']) {
      expect(JSON.stringify(boards(stacks))).toContain(gauge);
      expect(JSON.stringify(boards(appOf(undefined).stacks))).not.toContain(gauge);
    }
  });

  test('have alarms for members that are badly off, one of which tells that nobody looks', () => {
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
    expect(alarms.map(({ AlarmName, TreatMissingData }) => [AlarmName, TreatMissingData]).sort()).toEqual([
      ['ledgerhold-acme_BACKFILL_STALLED', 'ignore'],
      ['ledgerhold-acme_MEMBER_LAGS', 'breaching'],
      ['ledgerhold-acme_MEMBER_SUSPENDED', 'ignore'],
    ]);
  });

  test('tell a lag by the first look that finds it, and that nobody has looked for three hours', () => {
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
    const alarm = alarms.find(({ AlarmName }) => AlarmName.endsWith('MEMBER_LAGS')) as AlarmProperties;
    const found = (value: number): Datapoint => {
      return { namespace: 'Ledgerhold', name: 'MembersLagging', dimensions: { network: 'acme' }, value };
    };
    /** What was found at each hour, oldest first; undefined: nobody has looked. */
    const stateAfter = (...hours: (number | undefined)[]) => {
      const looks = hours.map((value) => (value === undefined ? [] : [found(value)]));
      const each = alarm.Period / 3600;
      const periods = Array.from({ length: hours.length / each }, (_, n) =>
        looks.slice(n * each, (n + 1) * each).flat(),
      );
      return stateOf(alarm, periods);
    };
    expect(stateAfter(0, 0, 0, 0, 0, 1)).toBe('ALARM');
    expect(stateAfter(0, 0, 0, undefined, undefined, 0)).toBe('OK');
    expect(stateAfter(0, 0, 0, undefined, undefined, undefined)).toBe('ALARM');
  });

  test('are nag-clean', async () => {
    const nagged = appOf(MEMBERS).app;
    Validations.of(nagged).addPlugins(new AwsSolutionsChecks(nagged));
    expect(() => nagged.synth()).not.toThrow();
  });
});

describe('who may what, of the deliveries', () => {
  let iam: Iam;
  beforeAll(() => {
    // An app that has not been synthesized yet: what lies in another stack is then still told by its path.
    iam = iamOf(appOf(MEMBERS).app);
  });
  const vault = (key: string) => `arn:aws:s3:::Storage-Vault/acme/${key}`;
  const share = (key: string, network = 'acme') => `arn:aws:s3:::bank-0-files/ledgerhold/${network}/bank-0/${key}`;
  const machine = (name: string) => `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:ledgerhold-acme_${name}`;
  const [FILE, MANIFEST] = ['chain/consortium/x-block-0-9.rlp', 'chain/consortium/manifests/00000001.json'];
  const OURS = 'arn:aws:s3:::our-files/ledgerhold/acme/bank-0/x';
  const [ROLE, TURN, LIST] = ['Delivery/DeliveryRole', 'Delivery/DeliverMember', 'Delivery/ListMembers'];
  const once = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' };
  const at = (account: string) => ({ account });
  const member = at('333333333333');
  const keyOf = (account: string) => `arn:aws:kms:${REGION}:${account}:key/any`;
  const viaS3 = { 'kms:ViaService': `s3.${REGION}.amazonaws.com` };
  const delivery = `arn:aws:iam::${ACCOUNT}:role/ledgerhold-acme_Delivery`;

  type Case = readonly [
    role: string,
    action: string,
    resource: string,
    rest?: { account?: string; context?: Record<string, string> },
  ];
  const ALLOWED: readonly Case[] = [
    [ROLE, 's3:PutObject', share(FILE), { ...member, context: once }],
    [ROLE, 's3:PutObject', share(MANIFEST), { ...at('444444444444'), context: once }],
    [ROLE, 's3:AbortMultipartUpload', share(FILE), member],
    // On no list: that a delivery goes there is refused before, by the Lambda and by the session that it asks for.
    [ROLE, 's3:PutObject', share(FILE), { ...at('555555555555'), context: once }],
    [
      ROLE,
      'kms:GenerateDataKey',
      keyOf('333333333333'),
      { context: { ...viaS3, 'aws:ResourceAccount': '333333333333' } },
    ],
    [ROLE, 's3:GetObject', vault(FILE)],
    [ROLE, 's3:GetObject', vault('keys/x.pem')],
    [ROLE, 's3:DeleteObject', share('canary/2026.txt'), member],
    // The member's own policy decides.
    [ROLE, 's3:GetObject', share(FILE), member],
    [TURN, 's3:PutObject', vault('proofs/bank-0/00000001.json'), { context: once }],
    [LIST, 's3:GetObject', vault('proofs/bank-0/00000001.json')],
    [LIST, 's3:GetObject', vault('keys/x.pem')],
    [TURN, 's3:PutObject', vault('deliveries/bank-0/00000001.json'), { context: once }],
    [TURN, 's3:PutObject', vault('members/bank-0/00000004.json'), { context: once }],
    [TURN, 's3:GetObject', vault(MANIFEST)],
    [TURN, 'sts:AssumeRole', delivery],
    [LIST, 'states:ListExecutions', machine('Delivery')],
    [LIST, 's3:GetObject', vault('members/bank-0/00000001.json')],
    ['Delivery/StartDeliveries', 'states:StartExecution', machine('Delivery')],
    ['ChainBackup/Steps/SealChain', 'states:StartExecution', machine('Deliveries')],
  ];
  const DENIED: readonly Case[] = [
    // At a member: nothing but additions and reads, under the network's prefix. In our own account nobody else is asked.
    [ROLE, 's3:GetObject', OURS, at(ACCOUNT)],
    [ROLE, 's3:PutObject', OURS, { ...at(ACCOUNT), context: once }],
    [ROLE, 's3:DeleteObject', 'arn:aws:s3:::our-files/ledgerhold/acme/bank-0/canary/x', at(ACCOUNT)],
    [ROLE, 's3:GetObject', share(FILE, 'another'), member],
    [TURN, 's3:GetObject', share(FILE), member],
    [ROLE, 's3:ListBucket', 'arn:aws:s3:::bank-0-files', member],
    [ROLE, 's3:DeleteObject', share(FILE), member],
    [ROLE, 'kms:Decrypt', keyOf('333333333333'), { context: { 'aws:ResourceAccount': '333333333333' } }],
    [ROLE, 'kms:GenerateDataKey', keyOf(ACCOUNT), { context: { ...viaS3, 'aws:ResourceAccount': ACCOUNT } }],
    [ROLE, 's3:DeleteObjectVersion', share('canary/2026.txt'), member],
    [ROLE, 's3:PutObject', share(FILE, 'another'), { ...member, context: once }],
    [ROLE, 's3:PutObject', 'arn:aws:s3:::bank-0-files/elsewhere', { ...member, context: once }],
    [ROLE, 's3:PutObjectAcl', share(FILE), member],
    [ROLE, 's3:PutBucketPolicy', 'arn:aws:s3:::bank-0-files', member],
    // Of the vault: nothing but what members may see.
    [ROLE, 's3:GetObject', vault('sets/validator/runs/x/1/participant.dump.zst.kms')],
    [ROLE, 's3:GetObject', vault('sets/validator/manifests/00000001.json')],
    [ROLE, 's3:GetObject', vault('members/bank-0/00000001.json')],
    [ROLE, 's3:PutObject', vault(FILE), { context: once }],
    [ROLE, 's3:DeleteObject', vault(FILE)],
    [TURN, 's3:GetObject', vault('sets/validator/runs/x/1/identities.json.kms')],
    [TURN, 's3:PutObject', vault(FILE), { context: once }],
    [
      TURN,
      's3:PutObject',
      vault('deliveries/bank-0/00000001.json'),
      { context: { 's3:ObjectCreationOperation': 'true' } },
    ],
    [TURN, 's3:PutObject', share(FILE), { ...member, context: once }],
    [TURN, 'sts:AssumeRole', `arn:aws:iam::${ACCOUNT}:role/ledgerhold-acme_SecondVault`],
    [LIST, 's3:PutObject', vault('members/bank-0/00000004.json'), { context: once }],
    [LIST, 'states:StartExecution', machine('Delivery')],
    ['Delivery/StartDeliveries', 'states:StartExecution', machine('Backup')],
    ['Delivery/StartDeliveries', 's3:GetObject', vault(MANIFEST)],
  ];
  const judge = ([role, action, resource, rest]: Case) => iam({ role, action, resource, ...rest });

  test.each(ALLOWED)('%s may %s on %s', async (...each) => {
    expect(await judge(each)).toBe(true);
  });
  test.each(DENIED)('%s may not %s on %s', async (...each) => {
    expect(await judge(each)).toBe(false);
  });

  test('where the operator is a member, too, deliveries go to buckets of its account', async () => {
    const app = appOf([...MEMBERS, { id: 'bank-us', account: ACCOUNT, bucket: 'our-files', region: REGION }]).app;
    const call = { role: ROLE, action: 's3:PutObject', resource: OURS, context: once };
    expect(await iamOf(app)(call)).toBe(true);
  });
});
