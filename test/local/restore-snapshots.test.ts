import { beforeEach, describe, expect, test } from '@jest/globals';
import { deploymentSteps } from '../../core/deployments.ts';
import type { Facts } from '../../core/facts.ts';
import { Instant } from '../../core/names.ts';
import type { FoundCopy, RdsTarget, SnapshotCopies } from '../../core/rds-restore.ts';
import { planRestore, type RestorePlan } from '../../core/restore-plan.ts';
import { sha256 } from '../../io/digest.ts';
import { previewSnapshots, restoreSnapshots, type SnapshotRestoreOptions } from '../../local/restore-snapshots.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { readSnapshotReference } from '../../vault/snapshot-reference.ts';
import { proveOne } from '../../vault/sound-set.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { snapshotCaptures } from '../support/snapshot-sets.ts';
import { newKeys, reading, toyProtocol, toyRun, toySteps } from '../support/toy-sets.ts';

/** Tells positions from the facts it is given. */
const protocol: Protocol = {
  ...toyProtocol,
  positions: {
    queries: [{ table: 'heights', columns: ['height'] }],
    read: (role, { heights }) => {
      const answer = heights?.[0];
      const height = answer?.status === 'rows' ? Number(answer.rows[0]?.['height']) : Number.NaN;
      return reading(role, role === 'app' ? 'seen' : 'end', height);
    },
  },
};
const facts = (height: number): Facts => ({
  heights: [{ schema: 'public', status: 'rows', rows: [{ height: String(height) }] }],
});

/** An RDS that brings a copy up in two looks, and of which a test can be any part. */
function toyRds() {
  const made = new Map<string, { tags: Record<string, string>; looks: number; members: number }>();
  const calls: string[] = [];
  const snapshots = { status: 'available', tags: (target: RdsTarget): Record<string, string> => target.snapshot.tags };
  const status = { of: (looks: number): string => (looks > 2 ? 'available' : 'creating') };
  const copies: SnapshotCopies = {
    snapshot: async (target) => ({ status: snapshots.status, tags: snapshots.tags(target) }),
    find: async ({ beside, snapshot }): Promise<FoundCopy | undefined> => {
      const found = made.get(beside);
      if (found === undefined) return undefined;
      found.looks += 1;
      const members = Array.from({ length: found.members }, (_, n) => ({
        id: `${beside}-${n + 1}`,
        status: 'available',
      }));
      const endpoint = { host: `${beside}.example.com`, port: snapshot.settings.port ?? 5432 };
      return { status: status.of(found.looks), tags: found.tags, members, endpoint };
    },
    restore: async ({ beside }, tags) => {
      calls.push(`restore ${beside}`);
      made.set(beside, { tags: { ...tags }, looks: 0, members: 0 });
    },
    addInstance: async ({ beside }) => {
      calls.push(`add ${beside}-1`);
      const found = made.get(beside);
      if (found !== undefined) found.members = 1;
    },
  };
  return { made, calls, snapshots, status, copies };
}

let rds: ReturnType<typeof toyRds>;
let plan: RestorePlan;
let options: SnapshotRestoreOptions;
let heights: Record<string, number | undefined>;

beforeEach(async () => {
  const [vault, keys] = [new MemoryVault(), newKeys()];
  const now = () => new Date('2026-11-01T00:00:00Z');
  const steps = toySteps({ vault, keys, protocol, now }, toyRun('2026-11-01T00:00:00Z'));
  const captures = snapshotCaptures(vault, { ledger: 'cluster' }, now);
  Object.assign(steps.ports, { captures });
  await steps.claim();
  await steps.capture();
  await steps.seal();
  const prove = { vault, publicKeys: [keys.publicKey], protocolNamed: () => protocol };
  const { manifest, proof } = await proveOne('toy-1', 1, prove);
  const targets: Record<string, { snapshot: Awaited<ReturnType<typeof readSnapshotReference>> }> = {};
  for (const { component, artifact } of proof.artifacts) {
    targets[component] = { snapshot: await readSnapshotReference(vault, artifact) };
  }
  plan = planRestore({
    createdAt: Instant.parse('2026-11-01T01:00:00.000Z'),
    ...{ vault: vault.url, manifest, deployment: deploymentSteps(undefined), protocol, targets, digest: sha256 },
    accepted: [],
    artifacts: Object.fromEntries(proof.artifacts.map(({ component, artifact }) => [component, artifact])),
  });
  rds = toyRds();
  heights = { app: 5, ledger: 7 };
  let seconds = 0;
  options = {
    ...{ ...prove, copies: rds.copies, fencedBy: 'a test' },
    clock: { now: () => new Date(Date.parse('2026-11-01T02:00:00Z') + seconds * 1000) },
    pause: async (wait) => void (seconds += wait),
    ask: async (component) => {
      const height = heights[component];
      return height === undefined ? undefined : facts(height);
    },
  };
});

describe('a restore of snapshots', () => {
  test('makes copies beside the old instances, waits for them, and tells where they answer', async () => {
    const { copies, unasked } = await restoreSnapshots(plan, options);
    expect(copies).toEqual([
      {
        ...{ component: 'app', kind: 'instance', identifier: 'db-app-toy-1-1', old: 'db-app' },
        endpoint: { host: 'db-app-toy-1-1.example.com', port: 5433 },
      },
      {
        ...{ component: 'ledger', kind: 'cluster', identifier: 'db-ledger-toy-1-1', old: 'db-ledger' },
        endpoint: { host: 'db-ledger-toy-1-1.example.com', port: 5433 },
      },
    ]);
    expect(unasked).toEqual([]);
    expect(rds.calls).toEqual(['restore db-app-toy-1-1', 'restore db-ledger-toy-1-1', 'add db-ledger-toy-1-1-1']);
  });

  test('goes on after an interruption with what it finds of its own', async () => {
    const broken = { ...options, pause: async () => Promise.reject(new Error('killed')) };
    await expect(restoreSnapshots(plan, broken)).rejects.toThrow('killed');
    await restoreSnapshots(plan, options);
    expect(rds.calls.filter((call) => call.startsWith('restore'))).toHaveLength(2);
  });

  test('says of what nobody could ask that it is not known', async () => {
    heights['ledger'] = undefined;
    expect(await restoreSnapshots(plan, options)).toMatchObject({ unasked: ['ledger'] });
  });

  test('finds a fork by asking what was restored', async () => {
    heights['app'] = 8;
    await expect(restoreSnapshots(plan, options)).rejects.toMatchObject({
      name: 'RestoredDiffers',
      message: expect.stringContaining('8'),
    });
  });

  test.each([
    ['gone', async () => undefined, 'RDS does not have it'],
    ['being copied', async () => ({ status: 'copying', tags: {} }), 'its status is copying'],
    ['another run’s', async () => ({ status: 'available', tags: { 'ledgerhold:fence': '2' } }), 'its tags'],
  ])('makes nothing where a snapshot is %s', async (_, snapshot, why) => {
    options = { ...options, copies: { ...rds.copies, snapshot } };
    await expect(restoreSnapshots(plan, options)).rejects.toMatchObject({
      name: 'SnapshotGone',
      message: expect.stringContaining(why),
    });
    expect(rds.calls).toEqual([]);
  });

  test('never touches an instance that is not its own', async () => {
    rds.made.set('db-ledger-toy-1-1', { tags: { team: 'another' }, looks: 9, members: 1 });
    await expect(restoreSnapshots(plan, options)).rejects.toMatchObject({ name: 'InstanceNameTaken' });
    expect(rds.calls).toEqual([]);
  });

  test('is not begun while somebody may still write', async () => {
    const { fencedBy: _, ...open } = options;
    await expect(restoreSnapshots(plan, open)).rejects.toMatchObject({ name: 'FenceMissing' });
    expect(rds.calls).toEqual([]);
  });

  test.each(['failed', 'inaccessible-encryption-credentials', 'a status of next year'])(
    'fails by name when a copy is %s',
    async (status) => {
      rds.status.of = () => status;
      await expect(restoreSnapshots(plan, options)).rejects.toMatchObject({
        name: 'CopyFailed',
        message: expect.stringContaining(status),
      });
    },
  );

  test('does not wait for ever', async () => {
    rds.status.of = () => 'creating';
    await expect(restoreSnapshots(plan, options)).rejects.toMatchObject({ name: 'RestoreTooSlow' });
  });

  test('tells beforehand what it would make, and makes nothing', async () => {
    const previews = await previewSnapshots(plan, options);
    expect(previews).toEqual([
      { component: 'app', identifier: 'db-app-toy-1-1', step: { next: 'restore' } },
      { component: 'ledger', identifier: 'db-ledger-toy-1-1', step: { next: 'restore' } },
    ]);
    expect(rds.calls).toEqual([]);
  });
});
