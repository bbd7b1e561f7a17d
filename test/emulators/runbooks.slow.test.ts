import { setTimeout as sleep } from 'node:timers/promises';
import { CancelKeyDeletionCommand, EnableKeyCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { CreateDBSnapshotCommand, DeleteDBSnapshotCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { headSeq, readManifest } from '../../vault/sets.ts';
import { COMMON, createDatabase, type DeployedNetwork, deployNetwork } from '../support/deployed-network.ts';
import { describeWith } from '../support/emulator.ts';
import { look, type Reader, typed } from '../support/runbook.ts';
import { aboutAws, type WatchedNetwork, watchedNetwork } from '../support/watched-network.ts';

/** A run each minute, so that a set is too old after a minute and a half; and a node whose identities need a secret. */
const nodesWith = (secret: string) => `
  - name: synchronizer-1
    protocol: canton
    every: 1 minute
    components:
      participant: { rds: acme-participant }
      mediator: { rds: acme-mediator }
  - name: validator-1
    protocol: splice
    every: 1 week
    identities:
      url: https://validator.example.com/api/validator
      auth:
        tokenUrl: https://auth.example.com/token
        clientId: backup
        clientSecret: { secretsManager: '${secret}' }
    components:
      validator-app: { rds: acme-validator-app }
      participant: { rds: acme-validator-participant }
`;

/** Raised from the beginning, as they should be: nothing runs for the second node. */
const NEVER_BACKED_UP = [
  'validator-1_SCHEDULE_SILENT',
  ...['identities', 'validator-app', 'participant'].map((each) => `validator-1_${each}_RPO_EXCEEDED`),
];

describeWith('ministack', 'an alarm, followed through its runbook in a deployed network', (python) => {
  let network: DeployedNetwork;
  let watched: WatchedNetwork;
  let secret: string;

  beforeAll(async () => {
    network = await deployNetwork(python, {
      config: async (ministack) => {
        const made = await aboutAws(ministack)<{ ARN: string }>(
          ...['secretsmanager', 'create-secret', '--name', 'validator-client', '--secret-string', 'of-this-test'],
        );
        secret = made.ARN;
        return `${COMMON}nodes:${nodesWith(secret)}`;
      },
    });
    const { ministack } = network;
    await fetch(`${ministack.endpoint}/_ministack/config`, {
      method: 'POST',
      body: JSON.stringify({ 'cloudtrail._recording_enabled': 'true' }),
    });
    watched = await watchedNetwork(network, nodesWith(secret));
  }, 300_000);

  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
  }, 60_000);

  const follow = (alarm: Parameters<typeof look>[0], finds: Reader['finds'] = {}, NODE = 'synchronizer-1') =>
    look(alarm, {
      ...watched.reader,
      knows: { NETWORK: 'acme', NODE },
      finds: { ...finds, LOG_GROUP: /^(\S*Watchdog\S*)$/m },
    });
  const raised = async () => (await watched.raised()).filter((each) => !NEVER_BACKED_UP.includes(each));
  const head = () => headSeq(network.vault, 'synchronizer-1');
  const executions = async (status: string) => {
    const { Arn } = (await backupSchedule()).Target;
    const asked = ['list-executions', '--state-machine-arn', Arn, '--status-filter', status];
    return (await watched.aws<{ executions: unknown[] }>('stepfunctions', ...asked)).executions;
  };
  const backupSchedule = async () => {
    const all = await watched.schedules();
    const found = all.find(
      ({ Target }) => Target.Input.includes('"node":"synchronizer-1"') && Target.Arn.includes(':states:'),
    );
    if (found === undefined) throw new Error('nothing starts runs of synchronizer-1');
    return found;
  };

  test('its schedule starts the deployed state machine, which seals a set of that slot', async () => {
    for (let tries = 0; tries < 120 && (await head()) === 0; tries += 1) await sleep(1000);
    const set = await readManifest(network.vault, 'synchronizer-1', 1);
    expect(set?.value).toMatchObject({ reason: 'schedule', slot: expect.stringMatching(/^2\d{3}-.*:00Z$/) });
    await watched.setSchedule(await backupSchedule(), 'DISABLED');
    // The next minute may have begun meanwhile.
    while ((await executions('RUNNING')).length > 0) await sleep(500);
    expect((await executions('SUCCEEDED')).length).toBe(await head());
  }, 150_000);

  test('SNAPSHOT_QUOTA leads to the database that most of the snapshots are of', async () => {
    expect(await raised()).toEqual([]);
    await createDatabase(network.rds, 'acme-reports');
    const theirs = Array.from({ length: 70 }, (_, n) => `reports-${n}`);
    for (const DBSnapshotIdentifier of theirs) {
      const DBInstanceIdentifier = 'acme-reports';
      await network.rds.send(new CreateDBSnapshotCommand({ DBSnapshotIdentifier, DBInstanceIdentifier }));
    }
    expect(await raised()).toEqual(['SNAPSHOT_QUOTA']);
    const seen = await follow('SNAPSHOT_QUOTA');
    const sets = await head();
    expect(seen).toMatch(new RegExp(`^ManualSnapshots\\s+${70 + 2 * sets}\\s+100$`, 'm'));
    expect(seen).toMatch(new RegExp(`^ *70 acme-reports\n *${sets} acme-(mediator|participant)$`, 'm'));
    expect(seen.match(/^ledgerhold-4-acme-\S+$/gm)).toHaveLength(2 * sets);
    for (const DBSnapshotIdentifier of theirs) {
      await network.rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier }));
    }
    expect(await raised()).toEqual([]);
  }, 60_000);

  test('KEY_ENDANGERED leads to the key, the day of its deletion, and who wants it', async () => {
    const KeyId = watched.watched['ENVELOPE_KEY'] ?? '';
    await network.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    expect(await raised()).toEqual(['KEY_ENDANGERED']);
    const seen = await follow('KEY_ENDANGERED', { KEY_ARN: /"key":"(arn:[^"]+)"/ });
    expect(seen).toMatch(new RegExp(`"key":"${KeyId}","why":"PendingDeletion, due \\d{4}-`));
    expect(seen).toMatch(new RegExp(`^${KeyId}\\s+PendingDeletion\\s+\\d+`, 'm'));
    expect(seen).toMatch(/"eventName": ?"ScheduleKeyDeletion"/);
    await network.kms.send(new CancelKeyDeletionCommand({ KeyId }));
    await network.kms.send(new EnableKeyCommand({ KeyId }));
    expect(await raised()).toEqual([]);
  }, 60_000);

  test('IDENTITY_UNREADABLE leads to the secret, since when it is being deleted, and by whom', async () => {
    await watched.aws('secretsmanager', 'delete-secret', '--secret-id', secret, '--recovery-window-in-days', '7');
    expect(await raised()).toEqual(['validator-1_IDENTITY_UNREADABLE']);
    const seen = await follow('IDENTITY_UNREADABLE', { SECRET: /"secret":"([^"]+)"/ }, 'validator-1');
    expect(seen).toContain(`"secret":"${secret}","why":"it is being deleted since 2`);
    expect(seen).toContain('validator-client');
    expect(seen).toContain('AWSCURRENT');
    expect(seen).toMatch(/"eventName": ?"DeleteSecret"/);
    await watched.aws('secretsmanager', 'restore-secret', '--secret-id', secret);
    expect(await raised()).toEqual([]);
  }, 60_000);

  test('RPO_EXCEEDED leads to the schedule that somebody has paused', async () => {
    while ((await raised()).length === 0) await sleep(5_000);
    expect(await raised()).toEqual(['synchronizer-1_mediator_RPO_EXCEEDED', 'synchronizer-1_participant_RPO_EXCEEDED']);
    const seen = await follow('RPO_EXCEEDED', { BACKUP_ARN: /^(arn:aws:states:\S+:stateMachine:\S+)$/m });
    const { Name } = await backupSchedule();
    expect(seen).toMatch(new RegExp(`${Name}\\s+DISABLED`));
    expect(seen.match(/DISABLED/g)).toHaveLength(1);
    const before = await head();
    expect(await typed('ledgerhold backup --node synchronizer-1', watched.reader)).toContain(
      `synchronizer-1/${before + 1}`,
    );
    expect(await raised()).toEqual([]);
  }, 150_000);

  test('SET_DAMAGED leads to the snapshot that is gone, and to who deleted it', async () => {
    const { DBSnapshots = [] } = await network.rds.send(
      new DescribeDBSnapshotsCommand({ DBInstanceIdentifier: 'acme-mediator' }),
    );
    const { DBSnapshotIdentifier } =
      DBSnapshots.toSorted((a, b) => Number(b.SnapshotCreateTime) - Number(a.SnapshotCreateTime))[0] ?? {};
    await network.rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier }));
    expect(await raised()).toContain('synchronizer-1_SET_DAMAGED');
    const seen = await follow('SET_DAMAGED');
    expect(seen).toMatch(new RegExp(`"set":${await head()},"code":"SNAPSHOT_MISSING",.*${DBSnapshotIdentifier}`));
    expect(seen).toMatch(/"eventName": ?"DeleteDBSnapshot"/);
  }, 150_000);
});
