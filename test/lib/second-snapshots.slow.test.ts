import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { Config } from '../../config/schema.ts';
import { secondSnapshotsRoleName, snapshotKeeperRoleName } from '../../core/deployed-names.ts';
import { NetworkName } from '../../core/names.ts';
import { backupProps } from '../../lib/backup-props.ts';
import {
  APART,
  actions,
  COPIER,
  deployed,
  KEEPER,
  NODE,
  PARTS,
  plain,
  S3,
  statementsOf,
} from '../support/second-stacks.ts';

const { main, second } = deployed();
if (second === undefined) throw new Error('the second vault has a stack');
const [ours, theirs] = [Template.fromStack(main), Template.fromStack(second)];

describe('the role that has snapshots copied', () => {
  const own = statementsOf(ours, 'AWS::IAM::Policy', /CopySnapshotsRole/);
  const of = (action: string) => own.filter(({ Action }) => [Action].flat().includes(action));

  test('has a name that the other account can rely on, within what IAM allows', () => {
    expect(JSON.stringify(ours.findResources('AWS::IAM::Role'))).toContain('"RoleName":"ledgerhold-acme_SecondRds"');
    const longest = NetworkName.parse('x'.repeat(40));
    expect(secondSnapshotsRoleName(longest).length).toBeLessThanOrEqual(64);
    expect(snapshotKeeperRoleName(longest).length).toBeLessThanOrEqual(64);
  });

  test('is the only role of the first account that may share a snapshot, and shares this network’s alone', () => {
    const sharing = Object.entries(ours.findResources('AWS::IAM::Policy')).filter(([, policy]) =>
      /rds:Modify\w*Snapshot|rds:\*|"\*:\*"|rds:Modify\*/.test(JSON.stringify(policy)),
    );
    expect(sharing.map(([id]) => id)).toEqual([expect.stringMatching(/CopySnapshotsRole/)]);
    expect(of('rds:ModifyDBSnapshotAttribute')).toMatchObject([
      { Resource: 'arn:aws:rds:eu-central-1:111111111111:snapshot:ledgerhold-4-acme-*' },
    ]);
    expect(of('rds:ModifyDBClusterSnapshotAttribute')).toMatchObject([
      { Resource: 'arn:aws:rds:eu-central-1:111111111111:cluster-snapshot:ledgerhold-4-acme-*' },
    ]);
  });

  test('takes, deletes and copies none itself, and reads no artifact but references', () => {
    expect(actions(own).filter((action) => /^rds:(?!Describe)/.test(action))).toEqual([
      ...['rds:ModifyDBClusterSnapshotAttribute', 'rds:ModifyDBSnapshotAttribute'],
    ]);
    expect(of('sts:AssumeRole')).toMatchObject([{ Resource: KEEPER }]);
    const read = of('s3:GetObject').flatMap(({ Resource }) => Resource as string | string[]);
    expect(read.map((each) => each.replace(/^.*?\/(acme\/)?/, ''))).toEqual([
      ...['sets/*/manifests/*', 'sets/*/tombstones/*', 'sets/*/runs/*.snapshot.json', 'leases/*/seen/*'],
      'sets/*/runs/*/copies/*',
    ]);
    expect(of('s3:PutObject').map(({ Resource }) => String(Resource).replace(/^.*?\/(acme\/)?/, ''))).toEqual([
      ...['leases/*/seen/*', 'sets/*/runs/*/copies/*'],
    ]);
  });
});

describe('the role that copies snapshots in the second account', () => {
  const own = statementsOf(theirs, 'AWS::IAM::Policy', /SnapshotKeeper/);
  const of = (action: string) => own.filter(({ Action }) => [Action].flat().includes(action));

  test('is for the one role of the first account', () => {
    const [keeper] = Object.values(theirs.findResources('AWS::IAM::Role')).map(({ Properties }) => plain(Properties));
    const may = { Action: 'sts:AssumeRole', Condition: { ArnEquals: { 'aws:PrincipalArn': COPIER } } };
    expect(keeper).toMatchObject({
      RoleName: 'ledgerhold-acme_RdsKeeper',
      AssumeRolePolicyDocument: { Statement: [{ ...may, Principal: { AWS: 'arn:aws:iam::111111111111:root' } }] },
    });
  });

  test('copies under names of its own, and can neither delete, share, change nor restore', () => {
    expect(actions(own).filter((action) => action.startsWith('rds:'))).toEqual([
      ...['rds:AddTagsToResource', 'rds:CopyDBClusterSnapshot', 'rds:CopyDBSnapshot', 'rds:DescribeAccountAttributes'],
      ...['rds:DescribeDBClusterSnapshots', 'rds:DescribeDBSnapshots'],
    ]);
    expect(of('rds:CopyDBSnapshot')[0]?.Resource).toEqual([
      'arn:aws:rds:eu-central-1:111111111111:snapshot:ledgerhold-4-acme-*',
      'arn:aws:rds:eu-central-1:111111111111:cluster-snapshot:ledgerhold-4-acme-*',
      `arn:aws:rds:eu-west-1:222222222222:snapshot:second-acme-${'?'.repeat(14)}`,
      `arn:aws:rds:eu-west-1:222222222222:cluster-snapshot:second-acme-${'?'.repeat(14)}`,
    ]);
  });

  test('uses the first account’s keys to open and the second vault’s to seal, through RDS, and grants to services alone', () => {
    const ofKeys = own.filter(({ Action }) => [Action].flat().every((action) => action.startsWith('kms:')));
    expect(ofKeys).toHaveLength(3);
    for (const { Condition } of ofKeys) {
      expect(Condition).toMatchObject({
        StringEquals: { 'kms:ViaService': ['rds.eu-central-1.amazonaws.com', 'rds.eu-west-1.amazonaws.com'] },
      });
    }
    expect(of('kms:CreateGrant')[0]?.Condition).toMatchObject({ Bool: { 'kms:GrantIsForAWSResource': 'true' } });
    expect(
      actions(own.filter(({ Resource }) => /111111111111:key/.test(String(Resource)) && !Array.isArray(Resource))),
    ).toEqual([...['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom']]);
  });

  test('is called for by the names that the first account has of it and of the key', () => {
    theirs.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/ledgerhold-acme_Second' });
    const [copier] = Object.values(ours.findResources('AWS::Lambda::Function')).filter(
      ({ Properties }) => Properties.Environment?.Variables.SECOND_ROLE !== undefined,
    );
    expect(plain(copier?.['Properties'].Environment.Variables)).toMatchObject({
      SECOND_ROLE: KEEPER,
      SECOND_KEY: 'arn:aws:kms:eu-west-1:222222222222:alias/ledgerhold-acme_Second',
    });
  });
});

describe('a run where there is a second vault', () => {
  const environments = (template: Template) =>
    Object.values(template.findResources('AWS::Lambda::Function')).flatMap(
      ({ Properties }) => Properties.Environment?.Variables.COPIED_ELSEWHERE ?? [],
    );
  const looking = (template: Template) =>
    statementsOf(template, 'AWS::IAM::Policy', /(Preflight|StartCapture)Role/).filter(
      ({ Action }) => Action === 'kms:DescribeKey',
    );

  test('refuses the default key of RDS before anything is captured and again at each start, and may look which one that is', () => {
    expect(environments(ours)).toEqual(['yes', 'yes']);
    const keys = { Resource: 'arn:aws:kms:eu-central-1:111111111111:key/*' };
    expect(looking(ours)).toMatchObject([keys, keys]);
  });

  test('is as before without one', () => {
    const alone = Template.fromStack(deployed(null).main);
    expect(environments(alone)).toEqual(['no', 'no']);
    expect(looking(alone)).toEqual([]);
  });

  test('knows of it in every group of the nodes', () => {
    expect(backupProps(Config.parse({ ...PARTS, secondVault: { s3: S3 }, nodes: [NODE, APART] }))).toMatchObject([
      { copiedElsewhere: true, secondVault: { bucket: 'acme-second' } },
      { copiedElsewhere: true },
    ]);
  });
});
