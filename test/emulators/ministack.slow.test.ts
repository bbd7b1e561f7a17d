import {
  CloudFormationClient,
  DescribeStacksCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { IAMClient } from '@aws-sdk/client-iam';
import { DescribeKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import { DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { schedule, slotAt } from '../../core/schedule.ts';
import { latestLease } from '../../vault/leases.ts';
import { type DeployedNetwork, deployNetwork, runAt } from '../support/deployed-network.ts';
import { keysOf, verifiedByAddress, verifiedInAFolder } from '../support/deployed-vault.ts';
import { describeWith } from '../support/emulator.ts';
import { watchedNetwork } from '../support/watched-network.ts';
import { withholdGrant } from '../support/withhold-grant.ts';

describeWith('ministack', 'the app, deployed to MiniStack as anybody deploys it', (python) => {
  let network: DeployedNetwork;
  let cloudFormation: CloudFormationClient;
  const StackName = 'Ledgerhold-acme';

  beforeAll(async () => {
    network = await deployNetwork(python);
    cloudFormation = new CloudFormationClient(network.ministack.connection);
  }, 300_000);

  afterAll(async () => {
    cloudFormation?.destroy();
    await network?.[Symbol.asyncDispose]();
  }, 60_000);

  test('a run by its ARN snapshots the databases in order and seals a set, which anybody proves offline', async () => {
    expect(await network.run({ run: runAt('2026-11-24T16:00:00Z') })).toMatchObject({ status: 'SUCCEEDED' });
    const { DBSnapshots = [] } = await network.rds.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
    expect(DBSnapshots.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier).toSorted()).toEqual([
      'acme-mediator',
      'acme-participant',
    ]);
    expect(await verifiedByAddress(network)).toMatchObject({ status: 0, json: { ok: true } });
    expect(await verifiedInAFolder(network)).toMatchObject({ status: 0, json: { ok: true } });
  }, 120_000);

  test('the same slot again changes nothing, nor does retention', async () => {
    const before = await keysOf(network);
    expect(await network.run({ run: runAt('2026-11-24T16:00:00Z') })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await network.retain()).toMatchObject({ status: 'SUCCEEDED' });
    expect(await keysOf(network)).toEqual(before);
  }, 120_000);

  test('a run without its database fails by name, its lease says why, and the next one heals', async () => {
    const slot = '2026-11-24T20:00:00Z';
    const run = {
      ...runAt(slot),
      components: [
        { component: 'participant', role: 'participant' },
        { component: 'sequencer', role: 'sequencer' },
      ],
    };
    expect(await network.run({ run })).toMatchObject({ status: 'FAILED', error: 'NotInLambda' });
    const lease = await latestLease(network.vault, 'synchronizer-1', slot);
    expect(lease?.value).toMatchObject({ state: 'failed', error: { name: 'NotInLambda' } });
    expect(await network.run({ run: runAt(slot) })).toMatchObject({ status: 'SUCCEEDED' });
  }, 120_000);

  test('a slot that is no slot, such as the placeholder that a scheduler did not fill in, starts nothing', async () => {
    const before = await keysOf(network);
    const ended = await network.run({ run: { ...runAt('any'), slot: '<aws.scheduler.scheduled-time>' } });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'NotASlot' });
    expect(await keysOf(network)).toEqual(before);
  }, 120_000);

  test('deploys again without a change', async () => {
    expect(await network.app.cdk('deploy', '--require-approval', 'never')).toContain('(no changes)');
  }, 120_000);

  test('is not destroyed by accident, and leaves the vault and its keys behind', async () => {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    expect(Stacks[0]?.EnableTerminationProtection).toBe(true);
    await cloudFormation.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
    );
    await network.app.cdk('destroy', '--force');
    await expect(cloudFormation.send(new DescribeStacksCommand({ StackName }))).rejects.toThrow('does not exist');
    await network.s3.send(new HeadBucketCommand({ Bucket: network.bucket }));
    const { Keys = [] } = await network.kms.send(new ListKeysCommand({}));
    const kept = Keys.map(({ KeyId }) => network.kms.send(new DescribeKeyCommand({ KeyId })));
    const states = (await Promise.all(kept)).map(({ KeyMetadata }) => KeyMetadata?.KeyState);
    expect(states.filter((state) => state === 'Enabled').length).toBeGreaterThanOrEqual(3);
  }, 120_000);
});

describeWith('ministack', 'the app, where IAM decides about every call', (python) => {
  let network: DeployedNetwork;
  let iam: IAMClient;

  beforeAll(async () => {
    network = await deployNetwork(python, { enforced: true });
    iam = new IAMClient(network.ministack.connection);
  }, 300_000);

  afterAll(async () => {
    iam?.destroy();
    await network?.[Symbol.asyncDispose]();
  }, 60_000);

  test('the roles of the stack are enough for a run, for retention and for the watchdog', async () => {
    const due = slotAt(schedule(4 * 3600, 'UTC').last(new Date()));
    expect(await network.run({ run: runAt(due) })).toEqual({ status: 'SUCCEEDED' });
    expect(await network.retain()).toEqual({ status: 'SUCCEEDED' });
    const watched = await watchedNetwork(network);
    // The workflow goes on where the step fails: its own log tells.
    expect(await watched.saidBy('RetainNode')).toEqual(['started', 'ended']);
    // What the watchdog may not look at it gives no value, and that is an alarm.
    expect(await watched.raised()).toEqual([]);
  }, 120_000);

  test.each([
    ['ClaimSlot', 's3:PutObject'],
    ['StartCapture', 's3:PutObject'],
    ['StartCapture', 'rds:CreateDBSnapshot'],
    ['PollCapture', 'rds:DescribeDBSnapshots'],
    ['SealManifest', 'kms:Sign'],
  ])(
    'without one grant a run fails: %s may not %s',
    async (name, action) => {
      const grantAgain = await withholdGrant(iam, name, action);
      try {
        const ended = await network.run({ run: runAt('2026-11-24T17:00:00Z') });
        expect(ended.status).toBe('FAILED');
        expect(`${ended.error} ${ended.cause}`).toContain('AccessDenied');
      } finally {
        await grantAgain();
      }
    },
    120_000,
  );
});
