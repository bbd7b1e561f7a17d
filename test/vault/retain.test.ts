import { describe, expect, test } from '@jest/globals';
import { slotAt } from '../../core/schedule.ts';
import { holdSet } from '../../vault/holds.ts';
import { applyRetention, planRetention, RetentionRefused } from '../../vault/retain.ts';
import { verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { backupToy, newKeys, toyProtocol, toyRun, toySteps } from '../support/toy-sets.ts';

const keys = newKeys();
const at = (day: number, hour: number) => new Date(Date.UTC(2026, 10, day, hour));

/** Sets of `hours` on 1 November and on. */
async function vaultWith(...times: Date[]): Promise<MemoryVault> {
  const vault = new MemoryVault();
  for (const time of times) await backupToy({ vault, keys, now: () => time }, slotAt(time));
  return vault;
}

const question = (vault: MemoryVault, keepLast: number, now = at(9, 0)) => ({
  ...{ vault, node: 'toy-1', keep: { keepLast }, timeZone: 'UTC', now },
  publicKeys: [keys.publicKey],
});

const ports = (vault: MemoryVault) => ({ vault, janitor: vault, signer: keys.signer, clock: { now: () => at(9, 0) } });

const proof = (vault: MemoryVault) =>
  verify({ vault, publicKeys: [keys.publicKey], protocolNamed: () => toyProtocol, depth: 'bytes' });

describe('retention of a node', () => {
  test('expires what no rule keeps, says why, and leaves a vault that verifies', async () => {
    const vault = await vaultWith(at(1, 0), at(1, 4), at(1, 8));
    const plan = await planRetention(question(vault, 2));
    expect(plan.sets.map(({ set, keep }) => [set.stored.id, keep])).toEqual([
      ['toy-1/3', true],
      ['toy-1/2', true],
      ['toy-1/1', false],
    ]);
    const { expired, bytes } = await applyRetention(plan, ports(vault));
    expect(expired).toEqual(['toy-1/1']);
    expect(bytes).toBe(plan.sets.at(-1)?.set.bytes);
    expect([...vault.objects.keys()].filter((key) => key.endsWith('.bin'))).toHaveLength(4);
    const { status, sets } = await proof(vault);
    expect({ status, expired: sets.map((set) => set.expired) }).toEqual({
      status: 'proven',
      expired: [true, false, false],
    });
  });

  test('leaves a set that a drill has taken up since the plan was made', async () => {
    const vault = await vaultWith(at(1, 0), at(1, 4), at(1, 8));
    const plan = await planRetention(question(vault, 1));
    await holdSet({ node: 'toy-1', seq: 1, by: 'a drill', until: at(10, 0) }, ports(vault));
    expect((await applyRetention(plan, ports(vault))).expired).toEqual(['toy-1/2']);
    const { sets } = await proof(vault);
    expect(sets.map((set) => set.expired)).toEqual([false, true, false]);
  });

  test('changes nothing when it is repeated', async () => {
    const vault = await vaultWith(at(1, 0), at(1, 4));
    await applyRetention(await planRetention(question(vault, 1)), ports(vault));
    const before = [...vault.objects.keys()];
    expect(await applyRetention(await planRetention(question(vault, 1)), ports(vault))).toEqual({
      ...{ expired: [], bytes: 0, swept: 0, snapshots: [], busy: [] },
    });
    expect([...vault.objects.keys()]).toEqual(before);
  });

  test('that was cut off goes on where it stopped', async () => {
    const vault = await vaultWith(at(1, 0), at(1, 4));
    const plan = await planRetention(question(vault, 1));
    const dying = { remove: () => Promise.reject(new Error('killed')), sweepUnfinished: async () => 0 };
    await expect(applyRetention(plan, { ...ports(vault), janitor: dying })).rejects.toThrow('killed');
    const again = await planRetention(question(vault, 1));
    expect(again.unfinished.map(({ stored }) => stored.id)).toEqual(['toy-1/1']);
    expect((await applyRetention(again, ports(vault))).bytes).toBeGreaterThan(0);
    expect((await proof(vault)).status).toBe('proven');
  });

  test('never passes damage off as expiry', async () => {
    const vault = await vaultWith(at(1, 0), at(1, 4), at(1, 8));
    const lost = [...vault.objects.keys()].find((key) => key.endsWith('.bin')) ?? '';
    await vault.remove(lost);
    const plan = await planRetention(question(vault, 1));
    expect(plan.damaged).toMatchObject([{ set: { seq: 1 }, key: lost }]);
    expect((await applyRetention(plan, ports(vault))).expired).toEqual(['toy-1/2']);
    expect((await proof(vault)).status).toBe('violated');
  });

  test('keeps an older whole set when the newest one is damaged', async () => {
    const vault = await vaultWith(at(1, 0), at(1, 4));
    const newest = [...vault.objects.keys()].findLast((key) => key.endsWith('.bin')) ?? '';
    vault.objects.set(newest, Buffer.from('cut'));
    expect((await planRetention(question(vault, 1))).sets.every(({ keep }) => keep)).toBe(true);
  });

  test('deletes nothing on the word of a manifest that nobody trusted has signed', async () => {
    const vault = await vaultWith(at(1, 0));
    await backupToy({ vault, keys: newKeys(), now: () => at(1, 4) }, 'forged', { reason: 'manual' });
    await expect(planRetention(question(vault, 1))).rejects.toThrow(RetentionRefused);
  });

  test('sweeps what an attempt left behind a day ago, and keeps its receipts', async () => {
    const vault = await vaultWith(at(1, 0));
    const steps = toySteps({ vault, keys, now: () => at(2, 0) }, toyRun('broken-off', { reason: 'manual' }));
    await steps.claim();
    await steps.capture();
    const left = () => [...vault.objects.keys()].filter((key) => key.includes('/broken-off/1/'));
    const before = left().length;
    expect((await applyRetention(await planRetention(question(vault, 5, at(2, 1))), ports(vault))).swept).toBe(0);
    expect((await applyRetention(await planRetention(question(vault, 5, at(9, 0))), ports(vault))).swept).toBe(2);
    expect(left()).toHaveLength(before - 2);
    expect(left().every((key) => key.includes('/receipts/'))).toBe(true);
  });

  test('counts days in the time zone of the config', async () => {
    const vault = await vaultWith(at(1, 21), at(1, 23), at(2, 1));
    const daily = async (timeZone: string) =>
      (await planRetention({ ...question(vault, 1), keep: { daily: 9 }, timeZone })).sets.filter(({ keep }) => keep)
        .length;
    expect(await daily('UTC')).toBe(2);
    expect(await daily('Asia/Tokyo')).toBe(1);
  });
});
