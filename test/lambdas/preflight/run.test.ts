import type { DBInstance } from '@aws-sdk/client-rds';
import { describe, expect, test } from '@jest/globals';
import { usableSource } from '../../../aws/rds-source.ts';
import { snapshotQuotas } from '../../../aws/snapshot-quotas.ts';
import type { RdsAddress } from '../../../core/capture-sources.ts';
import { run } from '../../../lambdas/preflight/run.ts';
import { snapshotsOf } from '../../../lib/steps/preflight.ts';
import { fakeRds } from '../../fakes/rds.ts';
import { always } from '../../fakes/rds-world.ts';
import { toyRun } from '../../support/toy-sets.ts';

const DEFAULT_KEY = 'arn:aws:kms:eu-central-1:111111111111:key/default';

/** An account with so many manual snapshots of instances, and databases `a`, `b`, `c` and clusters `x`. */
async function account(used = 0, quota = 100) {
  const rds = fakeRds({ now: () => new Date(0) });
  for (const id of ['db', 'a', 'b', 'c']) rds.addInstance(id);
  rds.addCluster('x');
  rds.world.quota = Number.POSITIVE_INFINITY;
  for (let n = 0; n < used; n += 1)
    await rds.call('CreateDBSnapshot', { DBSnapshotIdentifier: `s-${n}`, DBInstanceIdentifier: 'db' });
  rds.world.quota = quota;
  const before = rds.log.length;
  const client = rds.client({ maxAttempts: 1 });
  const ask = (sources: readonly RdsAddress[], isDefaultKey?: (key: string) => Promise<boolean>) =>
    run(
      { run: toyRun('slot') },
      {
        sourcesOf: () => sources,
        look: (kind, id) => usableSource(kind, id, { rds: client, ...(isDefaultKey && { isDefaultKey }) }),
        quotas: () => snapshotQuotas(client),
      },
    );
  return { rds, ask, asked: () => rds.log.slice(before).map(({ action }) => action) };
}

const THREE: readonly RdsAddress[] = [{ instance: 'a' }, { instance: 'b' }, { instance: 'c' }];
const clusters = (count: number): readonly RdsAddress[] => Array.from({ length: count }, () => ({ cluster: 'x' }));

describe('the room for a run', () => {
  test('is there if its snapshots just fit', async () => {
    const { ask } = await account(97);
    expect(await ask([...THREE, ...clusters(100)])).toEqual({ snapshots: 103 });
  });

  test('is not with one more, which is refused with the arithmetic, before anything is captured', async () => {
    const { ask } = await account(98);
    await expect(ask([...THREE, { cluster: 'x' }])).rejects.toMatchObject({
      name: 'QuotaReached',
      message:
        'the snapshots of toy-1 do not fit into this account and Region: ' +
        '98 manual snapshots of instances + 3 of this run = 101, 1 over the quota of 100',
      remedy: expect.stringContaining('Service Quotas'),
    });
  });

  test('is counted by the account’s own quota, of each kind', async () => {
    const { ask } = await account(98, 200);
    expect(await ask(THREE)).toEqual({ snapshots: 3 });
    await expect(ask(clusters(201))).rejects.toThrow('0 manual snapshots of clusters + 201');
  });

  test('is asked for by no node without snapshots, even where the quota is used up', async () => {
    const { ask, asked } = await account(100);
    expect(await ask([])).toEqual({ snapshots: 0 });
    expect(asked()).toEqual([]);
  });

  test('is not taken for granted where RDS is silent', async () => {
    const { rds, ask } = await account();
    const deny = { code: 'AccessDenied', status: 403 };
    rds.onCall(({ action }) => (action === 'DescribeAccountAttributes' ? deny : undefined));
    await expect(ask([{ instance: 'a' }])).rejects.toMatchObject({ name: 'SnapshotsUnavailable' });
  });
});

describe('a database that cannot be captured', () => {
  const spoilt: readonly (readonly [string, RdsAddress, DBInstance])[] = [
    ['read replica of primary', { instance: 'c' }, { ReadReplicaSourceDBInstanceIdentifier: 'primary' }],
    ['an instance of the cluster x', { instance: 'c' }, { DBClusterIdentifier: 'x' }],
    ['no instance nowhere', { instance: 'nowhere' }, {}],
    ['no cluster nowhere', { cluster: 'nowhere' }, {}],
    ['default key', { instance: 'c' }, { KmsKeyId: DEFAULT_KEY }],
  ];

  test.each(spoilt)(
    'is refused before the first capture of the run, though it is the last: %s',
    async (why, last, as) => {
      const { rds, ask, asked } = await account();
      rds.addInstance('c', as);
      const isDefaultKey = async (key: string) => key === DEFAULT_KEY;
      await expect(ask([{ instance: 'a' }, { cluster: 'x' }, last], isDefaultKey)).rejects.toMatchObject({
        name: 'SourceUnusable',
        message: expect.stringContaining(why),
      });
      expect(asked().filter((action) => !action.startsWith('Describe'))).toEqual([]);
    },
  );

  test('is one that is stopped, or in a state that nobody knows', async () => {
    const { rds, ask } = await account();
    rds.addInstance('c', {}, always('stopped'));
    await expect(ask(THREE)).rejects.toMatchObject({ name: 'SourceUnusable' });
    rds.addInstance('c', {}, always('dreaming'));
    await expect(ask(THREE)).rejects.toMatchObject({ name: 'UnknownStatus' });
  });

  test('is none under the default key where nothing is copied elsewhere', async () => {
    const { rds, ask } = await account();
    rds.addInstance('c', { KmsKeyId: DEFAULT_KEY });
    expect(await ask(THREE)).toEqual({ snapshots: 3 });
  });

  test('is none that is busy: its capture waits for it; but what waiting does not heal is seen beneath', async () => {
    const { rds, ask } = await account();
    rds.addInstance('c', { KmsKeyId: DEFAULT_KEY }, always('backing-up'));
    expect(await ask(THREE)).toEqual({ snapshots: 3 });
    await expect(ask(THREE, async (key) => key === DEFAULT_KEY)).rejects.toMatchObject({ name: 'SourceUnusable' });
  });

  test('is not one that RDS does not tell of now: the step is tried again', async () => {
    const { rds, ask } = await account();
    rds.onCall(() => ({ code: 'Throttling' }));
    await expect(ask(THREE)).rejects.toMatchObject({ name: 'RdsUnavailable' });
  });
});

test('what a run takes is read from the captures, by node', () => {
  const elsewhere = { elsewhere: { kind: 'postgres', at: 'somewhere' } };
  const node = {
    ...{ app: { rds: { instance: 'a' } }, wallet: { rds: { instance: 'b' } } },
    ...{ participant: { rds: { cluster: 'c' } }, identities: elsewhere },
  };
  expect(snapshotsOf({ 'validator-1': node, 'validator-2': { app: elsewhere } })).toEqual({
    'validator-1': [{ instance: 'a' }, { instance: 'b' }, { cluster: 'c' }],
  });
});
