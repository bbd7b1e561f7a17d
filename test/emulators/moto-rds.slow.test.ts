import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  CreateOptionGroupCommand,
  DeleteDBClusterSnapshotCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { snapshotCopies } from '../../aws/rds-restores.ts';
import { isTheSnapshot } from '../../core/rds-restore.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { describeWith } from '../support/emulator.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { capturedTarget, type RdsPlace, restored } from '../support/rds-copies.ts';

const LOGIN = { MasterUsername: 'canton', MasterUserPassword: 'a-password-of-this-test' };

describeWith('moto', 'snapshots of RDS and their restores, by Moto', (python) => {
  let moto: Moto;
  let client: RDSClient;
  const place = (): RdsPlace => ({ client, vault: new MemoryVault(), now: () => new Date(), pass: () => {} });

  beforeAll(async () => {
    moto = await startMoto(python, []);
    client = new RDSClient(moto.connection);
    const storage = { StorageEncrypted: true, DeletionProtection: true };
    // Moto names a default group of options, and has none.
    const OptionGroupName = 'ledger-options';
    const about = { OptionGroupDescription: 'of this test', EngineName: 'mysql', MajorEngineVersion: '5.6' };
    await client.send(new CreateOptionGroupCommand({ OptionGroupName, ...about }));
    await client.send(
      new CreateDBInstanceCommand({
        ...{ DBInstanceIdentifier: 'ledger', Engine: 'postgres', DBInstanceClass: 'db.t4g.micro', ...LOGIN },
        ...{ AllocatedStorage: 20, Port: 5433, OptionGroupName, ...storage },
      }),
    );
    await client.send(
      new CreateDBClusterCommand({ DBClusterIdentifier: 'aurora', Engine: 'aurora-postgresql', ...LOGIN, ...storage }),
    );
    await client.send(
      new CreateDBInstanceCommand({
        ...{ DBInstanceIdentifier: 'writer', DBClusterIdentifier: 'aurora', Engine: 'aurora-postgresql' },
        DBInstanceClass: 'db.r7g.large',
      }),
    );
    await client.send(
      new CreateDBClusterCommand({
        ...{ DBClusterIdentifier: 'multi-az', Engine: 'postgres', DBClusterInstanceClass: 'db.m6gd.large', ...LOGIN },
        ...{ AllocatedStorage: 100, StorageType: 'io1', Iops: 1000, ...storage },
      }),
    );
  }, 120_000);

  afterAll(async () => {
    client?.destroy();
    await moto?.[Symbol.asyncDispose]();
  }, 60_000);

  test.each([
    ['instance', 'ledger', 'postgres', ['restore', 'done']],
    ['cluster', 'aurora', 'aurora-postgresql', ['restore', 'add-instance', 'done']],
    ['cluster', 'multi-az', 'postgres', ['restore', 'done']],
  ] as const)(
    '%s %s is captured, known by its tags and restored beside itself',
    async (kind, id, engine, steps) => {
      const target = await capturedTarget({ kind, id }, `${id}-node-1-1`, place());
      expect(target.snapshot).toMatchObject({ kind, source: id, engine, arn: expect.stringContaining('snapshot:') });
      const found = await snapshotCopies(client).snapshot(target);
      expect([found?.status, isTheSnapshot(target, found?.tags ?? {})]).toEqual(['available', true]);
      const copy = await restored(target, place());
      expect(copy).toMatchObject({ steps, step: { endpoint: { host: expect.stringContaining(target.beside) } } });
      expect((await restored(target, place())).steps).toEqual(['done']);
    },
    60_000,
  );

  test('a cluster’s snapshot that is gone is missed, and nothing is restored of it', async () => {
    const target = await capturedTarget({ kind: 'cluster', id: 'aurora' }, 'aurora-again', place());
    const { id } = target.snapshot;
    await client.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: id }));
    expect(await snapshotCopies(client).snapshot(target)).toBeUndefined();
    await expect(restored(target, place())).rejects.toMatchObject({ code: 'DBClusterSnapshotNotFound' });
  }, 60_000);
});
