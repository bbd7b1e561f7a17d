import { describe, expect, test } from '@jest/globals';
import type { AskedRun } from '../../core/run.ts';
import { run as claimSlot } from '../../lambdas/claim-slot/run.ts';
import { latestLease } from '../../vault/leases.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { toyRun } from '../support/toy-sets.ts';

const SLOT = '2026-11-01T04:00:00Z';
const machine = 'arn:aws:states:eu-central-1:111111111111:execution:ledgerhold-toy-net_Backup';
const ports = (vault: MemoryVault) => ({
  vault,
  clock: { now: () => new Date('2026-11-01T04:00:05Z') },
  holderGone: () => false,
});
const asked = (slot: string): AskedRun => ({ ...toyRun(SLOT), slot });

describe('a scheduled run', () => {
  test('started five times at once, in whatever form the time comes, is one run; the others end as running', async () => {
    const vault = new MemoryVault();
    const forms = [SLOT, '2026-11-01T04:00:00.000Z', '2026-11-01T05:00:00+01:00', '2026-11-01T04:00Z', SLOT];
    const claims = await Promise.all(
      forms.map((slot, n) => claimSlot({ run: asked(slot), holder: `${machine}:${n}` }, ports(vault))),
    );
    expect(claims.map(({ outcome }) => outcome).toSorted()).toEqual([...Array(4).fill('running'), 'taken']);
    expect(new Set(claims.map(({ run }) => run.slot))).toEqual(new Set([SLOT]));
    const winner = claims.findIndex(({ outcome }) => outcome === 'taken');
    expect((await latestLease(vault, 'toy-1', SLOT))?.value.holder).toBe(`${machine}:${winner}`);
  });

  test('whose time EventBridge has not filled in ends by name, and writes nothing', async () => {
    const vault = new MemoryVault();
    const claim = claimSlot({ run: asked('<aws.scheduler.scheduled-time>'), holder: `${machine}:1` }, ports(vault));
    await expect(claim).rejects.toMatchObject({ name: 'NotASlot' });
    expect([...vault.objects.keys()]).toEqual([]);
  });
});
