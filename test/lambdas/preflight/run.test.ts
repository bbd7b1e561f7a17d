import { describe, expect, test } from '@jest/globals';
import { snapshotQuotas } from '../../../aws/snapshot-quotas.ts';
import type { SnapshotNeeds } from '../../../core/quota.ts';
import { run } from '../../../lambdas/preflight/run.ts';
import { snapshotsOf } from '../../../lib/steps/preflight.ts';
import { fakeRds } from '../../fakes/rds.ts';
import { toyRun } from '../../support/toy-sets.ts';

/** An account with so many manual snapshots of instances. */
async function account(used: number, quota = 100) {
  const rds = fakeRds({ now: () => new Date(0) });
  rds.addInstance('db');
  rds.world.quota = Number.POSITIVE_INFINITY;
  for (let n = 0; n < used; n += 1)
    await rds.call('CreateDBSnapshot', { DBSnapshotIdentifier: `s-${n}`, DBInstanceIdentifier: 'db' });
  rds.world.quota = quota;
  const ask = (needs: SnapshotNeeds | undefined) =>
    run({ run: toyRun('slot') }, { needsOf: () => needs, quotas: () => snapshotQuotas(rds.client()) });
  const asked = () => rds.log.filter(({ action }) => action === 'DescribeAccountAttributes').length;
  return { rds, ask, asked };
}

describe('the preflight', () => {
  test('lets a run pass whose snapshots just fit', async () => {
    const { ask } = await account(97);
    expect(await ask({ instance: 3, cluster: 100 })).toEqual({ snapshots: 103 });
  });

  test('refuses one more, with the arithmetic, before anything is captured', async () => {
    const { ask } = await account(98);
    await expect(ask({ instance: 3, cluster: 1 })).rejects.toMatchObject({
      name: 'QuotaReached',
      message:
        'the snapshots of toy-1 do not fit into this account and Region: ' +
        '98 manual snapshots of instances + 3 of this run = 101, 1 over the quota of 100',
      remedy: expect.stringContaining('Service Quotas'),
    });
  });

  test('counts by the account’s own quota, of each kind', async () => {
    const { ask } = await account(98, 200);
    expect(await ask({ instance: 3, cluster: 0 })).toEqual({ snapshots: 3 });
    await expect(ask({ instance: 0, cluster: 201 })).rejects.toThrow('0 manual snapshots of clusters + 201');
  });

  test('asks nothing for a node without snapshots, even where the quota is used up', async () => {
    const { ask, asked } = await account(100);
    expect(await ask(undefined)).toEqual({ snapshots: 0 });
    expect(asked()).toBe(0);
  });

  test('does not take silence for room', async () => {
    const { rds, ask } = await account(0);
    rds.onCall(() => ({ code: 'AccessDenied', status: 403 }));
    await expect(ask({ instance: 1, cluster: 0 })).rejects.toMatchObject({ name: 'SnapshotsUnavailable' });
  });
});

test('what a run takes is counted from the captures, of each kind', () => {
  const elsewhere = { elsewhere: { kind: 'postgres', at: 'somewhere' } };
  const node = {
    ...{ app: { rds: { instance: 'a' } }, wallet: { rds: { instance: 'b' } } },
    ...{ participant: { rds: { cluster: 'c' } }, identities: elsewhere },
  };
  expect(snapshotsOf({ 'validator-1': node, 'validator-2': { app: elsewhere } })).toEqual({
    'validator-1': { instance: 2, cluster: 1 },
  });
});
