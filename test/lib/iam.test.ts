import { beforeAll, describe, expect, test } from '@jest/globals';
import { exampleApp } from '../../scripts/document-permissions.ts';
import { permissionsOf } from '../../scripts/role-permissions.ts';
import { ACCOUNT, type Call, type Iam, iamOf, REGION } from '../support/iam.ts';

let iam: Iam;
let roles: readonly string[];

beforeAll(() => {
  const app = exampleApp();
  iam = iamOf(app);
  roles = permissionsOf(app).map(({ name }) => name);
}, 60_000);

const vault = (key: string, network = 'my-network') => `arn:aws:s3:::Storage-Vault/${network}/${key}`;
const kms = (name: string) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/Storage-${name}`;
const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:validator-1-AbCdEf`;
const snapshot = (name: string) => `arn:aws:rds:${REGION}:${ACCOUNT}:snapshot:${name}`;
/** What makes and runs the tasks of the one node whose database is dumped in them. */
const TASK = `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/Dumps-participant-1-Task:1`;
const onCluster = (name: string) => ({ 'ecs:cluster': `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/${name}` });
const ours = onCluster('Dumps-Cluster');
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const toEcs = { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' };
const toLambda = { 'iam:PassedToService': 'lambda.amazonaws.com' };
const ADDRESS = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:participant-1-db-AbCdEf`;
const IMAGES = `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/cdk-hnb659fds-container-assets-${ACCOUNT}-${REGION}`;
const DUMP = 'sets/participant-1/runs/2026-11-24T16:00:00Z/1/participant.dump.zst.kms';
const [TASK_ROLE, EXECUTION_ROLE] = ['Dumps/participant-1/TaskRole', 'Dumps/participant-1/ExecutionRole'];

const database = (name: string) => `arn:aws:rds:${REGION}:${ACCOUNT}:db:${name}`;
const OURS = 'ledgerhold-10-my-network-11-validator-1-participant-0123456789abcdef-1';
/** Of a network `my-network-11`, whose snapshots anybody could take for those of a node `11-…` of ours. */
const NEIGHBOURS = 'ledgerhold-13-my-network-11-11-validator-1-participant-0123456789abcdef-1';
const tagged = { 'aws:RequestTag/ledgerhold:network': 'my-network' };
const labelled = { 'aws:ResourceTag/ledgerhold:network': 'my-network' };

/** As the vault's adapter writes: with `If-None-Match`. */
const once = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' };
const over = { 's3:ObjectCreationOperation': 'true' };
const viaS3 = { 'kms:ViaService': `s3.${REGION}.amazonaws.com` };

const LEASE = 'leases/validator-1/2026-11-24T16:00:00Z/00000001.json';
const RECEIPT = 'sets/validator-1/runs/2026-11-24T16:00:00Z/1/receipts/participant.start.json';
const ARTIFACT = 'sets/validator-1/runs/2026-11-24T16:00:00Z/1/identities.json.kms';
const MANIFEST = 'sets/validator-1/manifests/00000001.json';

type Case = readonly [role: string, action: string, resource: string, rest?: Pick<Call, 'account' | 'context'>];
const judge = ([role, action, resource, rest]: Case) => iam({ role, action, resource, ...rest });

const ALLOWED: readonly Case[] = [
  ['Steps/ClaimSlot', 's3:PutObject', vault(LEASE), { context: once }],
  ['Steps/ClaimSlot', 's3:PutObject', vault('format.json'), { context: once }],
  ['Steps/ClaimSlot', 's3:GetObject', vault(MANIFEST)],
  ['Steps/ClaimSlot', 's3:ListBucket', 'arn:aws:s3:::Storage-Vault'],
  ['Steps/ClaimSlot', 'kms:GenerateDataKey', kms('BucketKey'), { context: viaS3 }],
  ['Steps/StartCapture', 's3:PutObject', vault(RECEIPT), { context: once }],
  ['Steps/StartCapture', 's3:PutObject', vault(ARTIFACT), { context: once }],
  // A part of a large object creates none, and can say no If-None-Match; its completion does.
  ['Steps/StartCapture', 's3:PutObject', vault(ARTIFACT), { context: { 's3:ObjectCreationOperation': 'false' } }],
  ['Steps/StartCapture', 's3:AbortMultipartUpload', vault(ARTIFACT)],
  ['Steps/StartCapture', 'kms:GenerateDataKey', kms('EnvelopeKey')],
  ['Steps/StartCapture', 'secretsmanager:GetSecretValue', SECRET],
  ['Steps/StartCapture', 'rds:CreateDBSnapshot', snapshot(OURS), { context: tagged }],
  ['Steps/StartCapture', 'rds:CreateDBSnapshot', database('my-participant'), { context: tagged }],
  ['Steps/Preflight', 'rds:DescribeDBInstances', database('my-participant')],
  ['Steps/Preflight', 'rds:DescribeDBClusters', `arn:aws:rds:${REGION}:${ACCOUNT}:cluster:my-synchronizer-sequencer`],
  ['Retention/Steps/RetainNode', 's3:DeleteObject', vault(ARTIFACT)],
  ['Retention/Steps/RetainNode', 'rds:DeleteDBSnapshot', snapshot(OURS), { context: labelled }],
  ['SecondVault/CopySnapshots', 'rds:ModifyDBSnapshotAttribute', snapshot(OURS), { context: labelled }],
  ['Steps/PollCapture', 's3:PutObject', vault(LEASE), { context: once }],
  ['Steps/FinishCapture', 's3:PutObject', vault(RECEIPT.replace('start', 'end')), { context: once }],
  ['Steps/SealManifest', 's3:PutObject', vault(MANIFEST), { context: once }],
  ['Steps/SealManifest', 's3:GetObject', vault(RECEIPT)],
  ['Steps/SealManifest', 'kms:Sign', kms('SigningKey')],
  ['Steps/FailRun', 's3:PutObject', vault(LEASE), { context: once }],
  [
    'Backup/StateMachine',
    'lambda:InvokeFunction',
    `arn:aws:lambda:${REGION}:${ACCOUNT}:function:Steps-ClaimSlot-Function`,
  ],
  ['Steps/StartCapture', 's3:PutObjectRetention', vault(ARTIFACT)],
  ['Steps/SealManifest', 's3:PutObjectRetention', vault(MANIFEST)],
  ['Steps/StartCapture', 'ecs:RunTask', TASK, { context: ours }],
  ['Steps/StartCapture', 'iam:PassRole', role('Dumps-participant-1-TaskRole'), { context: toEcs }],
  ['Steps/StartCapture', 'iam:PassRole', role('Dumps-participant-1-ExecutionRole'), { context: toEcs }],
  [
    'Steps/PollCapture',
    'ecs:DescribeTasks',
    `arn:aws:ecs:${REGION}:${ACCOUNT}:task/Dumps-Cluster/1`,
    { context: ours },
  ],
  [TASK_ROLE, 'secretsmanager:GetSecretValue', ADDRESS],
  [TASK_ROLE, 'kms:GenerateDataKey', kms('EnvelopeKey')],
  [TASK_ROLE, 's3:PutObject', vault(DUMP), { context: once }],
  [EXECUTION_ROLE, 'ecr:BatchGetImage', IMAGES],
];

const DENIED: readonly Case[] = [
  // Before a run: it looks at the databases that are configured, and takes nothing.
  ['Steps/Preflight', 'rds:DescribeDBClusters', `arn:aws:rds:${REGION}:${ACCOUNT}:cluster:another`],
  ['Steps/Preflight', 'rds:CreateDBSnapshot', database('my-participant'), { context: tagged }],
  // What is there stays as it is.
  ['Steps/ClaimSlot', 's3:PutObject', vault(LEASE), { context: over }],
  ['Steps/SealManifest', 's3:PutObject', vault(MANIFEST), { context: over }],
  ['Steps/StartCapture', 's3:PutObject', vault(ARTIFACT), { context: over }],
  // Each step writes, and locks, what is its own.
  ['Steps/SealManifest', 's3:PutObjectRetention', vault(ARTIFACT)],
  ['Steps/StartCapture', 's3:PutObjectRetention', vault(MANIFEST)],
  ['Steps/PollCapture', 's3:PutObjectRetention', vault(RECEIPT)],
  ['Steps/ClaimSlot', 's3:PutObject', vault(MANIFEST), { context: once }],
  ['Steps/StartCapture', 's3:PutObject', vault(MANIFEST), { context: once }],
  ['Steps/PollCapture', 's3:PutObject', vault(RECEIPT), { context: once }],
  ['Steps/FailRun', 's3:PutObject', vault(RECEIPT), { context: once }],
  ['Steps/PlanWaves', 's3:PutObject', vault(LEASE), { context: once }],
  ['Steps/PlanWaves', 's3:GetObject', vault(LEASE)],
  ['Steps/SealManifest', 's3:PutObject', vault(ARTIFACT), { context: once }],
  // Another network's part of the same bucket, another bucket, and a bucket of ours that somebody else now owns.
  ['Steps/ClaimSlot', 's3:PutObject', vault(LEASE, 'other'), { context: once }],
  ['Steps/ClaimSlot', 's3:GetObject', vault(LEASE, 'my-network-2')],
  ['Steps/SealManifest', 's3:GetObject', vault(RECEIPT, 'other')],
  ['Steps/ClaimSlot', 's3:GetObject', 'arn:aws:s3:::another/my-network/format.json'],
  ['Steps/ClaimSlot', 's3:PutObject', vault(LEASE), { context: once, account: '999999999999' }],
  ['Steps/StartCapture', 's3:GetObject', vault(RECEIPT), { account: '999999999999' }],
  // Who backs up cannot read it back, nor open what it has sealed.
  ['Steps/StartCapture', 's3:GetObject', vault(ARTIFACT)],
  ['Steps/SealManifest', 's3:GetObject', vault(ARTIFACT)],
  ['Steps/StartCapture', 'kms:Decrypt', kms('EnvelopeKey')],
  ['Steps/FinishCapture', 'kms:Decrypt', kms('EnvelopeKey')],
  // The bucket's key opens what S3 hands over, and nothing that somebody hands to KMS.
  ['Steps/ClaimSlot', 'kms:Decrypt', kms('BucketKey')],
  // One role signs, and one secret is read by one role.
  ['Steps/FinishCapture', 'kms:Sign', kms('SigningKey')],
  ['Steps/SealManifest', 'kms:ScheduleKeyDeletion', kms('SigningKey')],
  ['Steps/SealManifest', 'kms:Sign', kms('EnvelopeKey')],
  ['Steps/ClaimSlot', 'secretsmanager:GetSecretValue', SECRET],
  ['Steps/StartCapture', 'secretsmanager:GetSecretValue', SECRET.replace('validator-1', 'validator-2')],
  // Snapshots: of the databases that are configured, under our names, with our tags; gone only by retention, only ours.
  ['Steps/StartCapture', 'rds:CreateDBSnapshot', database('another'), { context: tagged }],
  ['Steps/StartCapture', 'rds:CreateDBSnapshot', snapshot('another'), { context: tagged }],
  ['Steps/StartCapture', 'rds:CreateDBSnapshot', snapshot(OURS)],
  ['Steps/StartCapture', 'rds:DeleteDBSnapshot', snapshot(OURS), { context: labelled }],
  ['Steps/PollCapture', 'rds:CreateDBSnapshot', snapshot(OURS), { context: tagged }],
  ['Retention/Steps/RetainNode', 'rds:DeleteDBSnapshot', snapshot(OURS)],
  ['Retention/Steps/RetainNode', 'rds:DeleteDBSnapshot', snapshot('another'), { context: labelled }],
  ['Retention/Steps/RetainNode', 'rds:DeleteDBSnapshot', snapshot(NEIGHBOURS), { context: labelled }],
  ['Steps/StartCapture', 'rds:AddTagsToResource', snapshot(NEIGHBOURS), { context: tagged }],
  // Shared by the one role that has them copied, and by it only ours; it neither takes nor deletes any.
  ['SecondVault/CopySnapshots', 'rds:ModifyDBSnapshotAttribute', snapshot(OURS)],
  ['SecondVault/CopySnapshots', 'rds:ModifyDBSnapshotAttribute', snapshot('another'), { context: labelled }],
  ['SecondVault/CopySnapshots', 'rds:DeleteDBSnapshot', snapshot(OURS), { context: labelled }],
  ['SecondVault/CopySnapshots', 'rds:CreateDBSnapshot', snapshot(OURS), { context: tagged }],
  ['SecondVault/CopySnapshots', 's3:GetObject', vault(ARTIFACT)],
  ['SecondVault/CopySnapshots', 's3:PutObject', vault(LEASE), { context: once }],
  ...['StartCapture', 'PollCapture', 'FinishCapture', 'SealManifest'].map(
    (step): Case => [`Steps/${step}`, 'rds:ModifyDBSnapshotAttribute', snapshot(OURS), { context: labelled }],
  ),
  ['Retention/Steps/RetainNode', 'rds:ModifyDBSnapshotAttribute', snapshot(OURS), { context: labelled }],
  ['SecondVault/CopyVault', 'rds:ModifyDBSnapshotAttribute', snapshot(OURS), { context: labelled }],
  ['Retention/Steps/RetainNode', 's3:DeleteObject', vault(RECEIPT)],
  ['Retention/Steps/RetainNode', 's3:PutObject', vault(MANIFEST), { context: once }],
  ['Retention/Steps/ListNodes', 's3:DeleteObject', vault(ARTIFACT)],
  ['Watch/Watchdog', 's3:PutObject', vault(LEASE), { context: once }],
  ['Watch/Watchdog', 'secretsmanager:GetSecretValue', SECRET],
  // It looks at the key of the identities' secrets, and opens nothing with it.
  ['Watch/Watchdog', 'kms:Decrypt', kms('IdentitiesKey')],
  ['Steps/PromoteIdentities', 'kms:DescribeKey', kms('IdentitiesKey')],
  // One step starts dump tasks: of the one family, in the one cluster, with the two roles, which only ECS is handed.
  ['Steps/StartCapture', 'ecs:RunTask', TASK.replace('participant-1', 'another'), { context: ours }],
  ['Steps/StartCapture', 'ecs:RunTask', TASK, { context: onCluster('another') }],
  ['Steps/StartCapture', 'ecs:StopTask', `arn:aws:ecs:${REGION}:${ACCOUNT}:task/Dumps-Cluster/1`, { context: ours }],
  ['Steps/PollCapture', 'ecs:RunTask', TASK, { context: ours }],
  ['Steps/StartCapture', 'iam:PassRole', role('admin'), { context: toEcs }],
  ['Steps/StartCapture', 'iam:PassRole', role('Dumps-participant-1-TaskRole')],
  ['Steps/StartCapture', 'iam:PassRole', role('Dumps-participant-1-TaskRole'), { context: toLambda }],
  ['Steps/PollCapture', 'iam:PassRole', role('Dumps-participant-1-TaskRole'), { context: toEcs }],
  // A task reads the address of its own database, adds its own dump, and opens, overwrites and deletes none.
  ['Steps/StartCapture', 'secretsmanager:GetSecretValue', ADDRESS],
  [TASK_ROLE, 'secretsmanager:GetSecretValue', SECRET],
  [TASK_ROLE, 'kms:Decrypt', kms('EnvelopeKey')],
  [TASK_ROLE, 's3:PutObject', vault(DUMP), { context: over }],
  [TASK_ROLE, 's3:PutObject', vault(ARTIFACT), { context: once }],
  [TASK_ROLE, 's3:PutObject', vault(MANIFEST.replace('validator', 'participant')), { context: once }],
  [TASK_ROLE, 's3:DeleteObject', vault(DUMP)],
  // What ECS itself uses fetches the image, and sees neither the vault nor a secret.
  [EXECUTION_ROLE, 'ecr:BatchGetImage', IMAGES.replace('cdk-', 'another-')],
  [EXECUTION_ROLE, 's3:GetObject', vault(DUMP)],
  [EXECUTION_ROLE, 'secretsmanager:GetSecretValue', ADDRESS],
  // Without TLS nobody reads.
  ['Steps/ClaimSlot', 's3:GetObject', vault(LEASE), { context: { 'aws:SecureTransport': 'false' } }],
  ['Backup/StateMachine', 'lambda:InvokeFunction', `arn:aws:lambda:${REGION}:${ACCOUNT}:function:another`],
  ['Backup/StateMachine', 's3:GetObject', vault(MANIFEST)],
];

/** What none of these roles may do, whatever its step is. */
const NEVER: readonly (readonly [action: string, resource: string])[] = [
  ['s3:DeleteObject', vault(MANIFEST)],
  ['s3:DeleteObjectVersion', vault(ARTIFACT)],
  ['s3:PutObjectRetention', vault(LEASE)],
  ['s3:PutObjectLegalHold', vault(ARTIFACT)],
  ['s3:BypassGovernanceRetention', vault(ARTIFACT)],
  ['s3:PutBucketPolicy', 'arn:aws:s3:::Storage-Vault'],
  ['s3:PutLifecycleConfiguration', 'arn:aws:s3:::Storage-Vault'],
  ['kms:Decrypt', kms('EnvelopeKey')],
  ['kms:ScheduleKeyDeletion', kms('EnvelopeKey')],
  ['kms:PutKeyPolicy', kms('BucketKey')],
  ['rds:ModifyDBSnapshotAttribute', snapshot('ledgerhold-10-my-network-11-validator-1-participant-0-1')],
  ['rds:DeleteDBInstance', `arn:aws:rds:${REGION}:${ACCOUNT}:db:my-participant`],
  ['iam:PassRole', role('admin')],
  ['secretsmanager:DeleteSecret', SECRET],
];

describe('the roles, judged by the policies that are to be deployed', () => {
  test.each(ALLOWED)('%s may %s on %s', async (...call) => {
    expect(await judge(call)).toBe(true);
  });

  test.each(DENIED)('%s may not %s on %s', async (...call) => {
    expect(await judge(call)).toBe(false);
  });

  test.each(NEVER)('nobody may %s on %s', async (action, resource) => {
    const may = await Promise.all(
      roles.map(async (each) => ({ each, may: await iam({ role: each, action, resource }) })),
    );
    expect(may.filter((of) => of.may)).toEqual([]);
  });
});
