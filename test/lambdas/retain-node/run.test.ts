import { expect, test } from '@jest/globals';
import { NodeName } from '../../../core/names.ts';
import type { OwnSnapshot } from '../../../core/snapshot-janitor.ts';
import { acceptOutput } from '../../../core/step.ts';
import { run as listNodes } from '../../../lambdas/list-nodes/run.ts';
import { retainNode } from '../../../lambdas/retain-node/contract.ts';
import { run } from '../../../lambdas/retain-node/run.ts';
import { MemoryVault } from '../../fakes/memory-vault.ts';
import { backupToy, newKeys, toyProtocol } from '../../support/toy-sets.ts';

const keys = newKeys();
const node = NodeName.parse('toy-1');
const day = (n: number) => new Date(Date.UTC(2026, 10, n));

async function world(...days: number[]) {
  const vault = new MemoryVault();
  for (const n of days) await backupToy({ vault, keys, now: () => day(n) }, `slot-${n}`, { reason: 'manual' });
  const left: OwnSnapshot[] = [];
  const ports = {
    ...{ vault, janitor: vault, signer: keys.signer, clock: { now: () => day(28) } },
    snapshots: { list: async () => left, remove: async () => 'removed' as const },
    protocolNamed: () => toyProtocol,
  };
  const retain = async (keepLast: number, daily?: number) =>
    acceptOutput(retainNode, await run({ node }, { ...ports, policy: { keep: { keepLast, daily }, timeZone: 'UTC' } }));
  return { vault, left, retain, ports };
}

test('the step does what the policy says, and tells what went', async () => {
  const { vault, retain } = await world(1, 2, 3);
  expect(await listNodes({}, { vault })).toEqual({ nodes: ['toy-1'] });
  expect(await retain(2)).toMatchObject({ expired: ['toy-1/1'], damaged: [], busy: [] });
  expect(await retain(2)).toMatchObject({ expired: [], bytes: 0 });
});

test('the step tells no more than a state can hold', async () => {
  const { left, retain } = await world(1);
  const one = { kind: 'instance', status: 'available', slot: 'gone', fence: 1 } as const;
  left.push(...Array.from({ length: 150 }, (_, n) => ({ ...one, id: `ledgerhold-7-toy-net-5-toy-1-x-${n}` })));
  // No lease tells of that slot, so nothing of it goes: whatever is in doubt stays.
  expect((await retain(1)).snapshots).toEqual([]);
});

test('the step leaves no gap between kept sets that is longer than what the ledger forgets', async () => {
  const short = { ...toyProtocol, restore: { ...toyProtocol.restore, maxAgeDays: 10 } };
  const { ports } = await world(1, 9, 10, 18, 19);
  const policy = { keep: { keepLast: 1, weekly: 9 }, timeZone: 'UTC' };
  const gaps = async (protocol: typeof toyProtocol, keep: object) => {
    const result = await run({ node }, { ...ports, protocolNamed: () => protocol, policy: { ...policy, keep } });
    return result.expired;
  };
  // Of 1, 9, 10, 18 and 19 the last alone is kept: no gap arises, since nothing older is.
  expect(await gaps(short, { keepLast: 4 })).toEqual(['toy-1/1']);
});
