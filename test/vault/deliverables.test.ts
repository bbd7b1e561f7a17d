import { describe, expect, test } from '@jest/globals';
import { type Vault, VaultUnavailable } from '../../core/vault.ts';
import { type DeliveryUnit, isDamage, unitsAfter } from '../../vault/deliverables.ts';
import { chainManifestKey, numberOf } from '../../vault/layout.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { ToyHistory } from '../support/toy-deliveries.ts';

const NODE = 'consortium';
const manifestKey = (seq: number) => chainManifestKey(NODE, seq);
/** Until all that can happen by itself has happened. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
};

/** A history of manifests with a file each, whose reads are told; `before` holds one up, or fails it. */
async function chainOf(manifests: number, filesAManifest = 1) {
  const memory = new MemoryVault();
  const history = new ToyHistory(memory);
  const seal = () => history.seal(...Array.from({ length: filesAManifest }, (_, n) => Buffer.from(`file ${n}`)));
  for (let n = 0; n < manifests; n++) await seal();
  const calls: string[] = [];
  const atOnce = { now: 0, most: 0 };
  const hooks = { before: async (_: string): Promise<void> => {} };
  const told = async <T>(what: string, key: string, answer: () => Promise<T>): Promise<T> => {
    calls.push(`${what} ${key}`);
    atOnce.now += 1;
    atOnce.most = Math.max(atOnce.most, atOnce.now);
    try {
      await hooks.before(key);
      return await answer();
    } finally {
      atOnce.now -= 1;
    }
  };
  const vault: Vault = Object.assign(Object.create(memory) as MemoryVault, {
    get: (key: string) => told('get', key, () => memory.get(key)),
    stat: (key: string) => told('stat', key, () => memory.stat(key)),
    list: (prefix: string, after?: string) => {
      calls.push(`list ${prefix}`);
      return memory.list(prefix, after);
    },
  });
  const manifestsRead = () => calls.map((call) => (call.startsWith('get') ? numberOf(call) : undefined) ?? 0);
  return {
    ...{ memory, vault, calls, atOnce, hooks, seal },
    units: (after?: DeliveryUnit['cursor']) => unitsAfter(vault, NODE, after),
    /** Highest number of a manifest that was asked for. */
    furthest: () => Math.max(0, ...manifestsRead()),
  };
}

/** What is given out, and what it ends with; `meanwhile`: what becomes of each before the next is asked for. */
async function taken(units: AsyncIterable<DeliveryUnit>, meanwhile = async (_seq: number): Promise<void> => {}) {
  const seqs: number[] = [];
  try {
    for await (const { cursor } of units) {
      seqs.push(cursor.seq);
      await meanwhile(cursor.seq);
    }
  } catch (error) {
    return { seqs, error };
  }
  return { seqs };
}

describe('the manifests behind a cursor', () => {
  test('are read ahead while those before are on their way: as many as were found, and eight at most', async () => {
    const { units, furthest } = await chainOf(30);
    const given = units();
    for (let seq = 1; seq <= 20; seq++) {
      expect((await given.next()).value).toMatchObject({ cursor: { seq } });
      await settle();
      expect(furthest()).toBe(seq + Math.min(seq, 8));
    }
  });

  test('are given out in their order, however late the earlier ones are read', async () => {
    const { units, hooks } = await chainOf(20);
    hooks.before = async (key) => {
      const seq = numberOf(key);
      for (let turn = 0; seq !== undefined && turn < 30 - seq; turn++) await new Promise((done) => setImmediate(done));
    };
    expect(await taken(units())).toEqual({ seqs: Array.from({ length: 20 }, (_, n) => n + 1) });
  });

  test('are read by sixteen reads at once, however much they cite', async () => {
    const { units, atOnce, hooks } = await chainOf(6, 40);
    hooks.before = settle;
    expect((await taken(units())).seqs).toHaveLength(6);
    expect(atOnce.most).toBe(16);
  });

  test('cost four reads each, and where there is one new one no read more than its end', async () => {
    const { units, calls, seal } = await chainOf(1);
    const first = (await units().next()).value as DeliveryUnit;
    await seal();
    calls.length = 0;
    expect(await taken(units(first.cursor))).toEqual({ seqs: [2] });
    const count = (what: string) => calls.filter((call) => call.startsWith(what)).length;
    // Its cursor's own manifest is looked at once; behind the new one is none, which a listing proves.
    expect([count('get'), count('stat'), count('list')]).toEqual([1 + 4 + 1, 1, 1]);
    expect(new Set(calls).size).toBe(calls.length);
  });

  test.each([
    ['its manifest alone is missing', (key: string) => key === manifestKey(6)],
    ['its signature is missing', (key: string) => key.startsWith(manifestKey(6).replace('.json', '-'))],
    ['its record is missing', (key: string) => key.includes('records/slot-6-')],
    ['its agreement is missing', (key: string) => key.includes('runs/slot-6/')],
  ])('end with damage where %s, and none behind it is given out', async (_, isLost) => {
    const { units, memory } = await chainOf(12);
    for (const key of memory.objects.keys()) if (isLost(key)) memory.objects.delete(key);
    const { seqs, error } = await taken(units());
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
    expect(isDamage(error)).toBe(true);
    expect(String(error)).toMatch(/00000006|slot-6/);
  });

  test('end where one follows another history than those before it', async () => {
    const [{ units, memory }, other] = [await chainOf(8), await chainOf(0)];
    const history = new ToyHistory(other.memory);
    for (let n = 0; n < 8; n++) await history.reorganise(Buffer.from('x'));
    for (const [key, body] of other.memory.objects) {
      if (/slot-[5-8]|manifests.0000000[5-8]/.test(key)) memory.objects.set(key, body);
    }
    const { seqs, error } = await taken(units());
    expect(seqs).toEqual([1, 2, 3, 4]);
    expect(error).toMatchObject({ name: 'HistoryDamaged', message: expect.stringContaining(manifestKey(5)) });
  });

  test('end with the vault’s error in its turn, and those before it are given out', async () => {
    const { units, hooks } = await chainOf(8);
    hooks.before = async (key) => {
      if (key === manifestKey(5)) throw new VaultUnavailable('memory: is away', 'Wait.');
    };
    const given = units();
    for (let seq = 1; seq <= 4; seq++) {
      expect((await given.next()).value).toMatchObject({ cursor: { seq } });
      await settle();
    }
    await expect(given.next()).rejects.toThrow(VaultUnavailable);
  });

  test('include those that were sealed after they had been asked for', async () => {
    const { units, seal } = await chainOf(4);
    const meanwhile = async (seq: number) => {
      await settle();
      for (
        let n = 0;
        n <
        (new Map([
          [4, 1],
          [5, 3],
        ]).get(seq) ?? 0);
        n++
      )
        await seal();
    };
    expect(await taken(units(), meanwhile)).toEqual({ seqs: [1, 2, 3, 4, 5, 6, 7, 8] });
  });

  test('include one that was sealed between its own reading and that of the next', async () => {
    const { units, hooks, seal } = await chainOf(4);
    let sealing: Promise<void> | undefined;
    hooks.before = async (key) => {
      if (key === manifestKey(6)) await (sealing ??= settle().then(seal).then(seal));
    };
    expect(await taken(units(), () => settle().then(settle))).toEqual({ seqs: [1, 2, 3, 4, 5, 6] });
  });

  test('are read no further once nobody takes them', async () => {
    const { units, hooks, calls } = await chainOf(20, 40);
    for await (const { cursor } of units()) {
      if (cursor.seq === 1) hooks.before = settle;
      if (cursor.seq === 8) break;
    }
    const begun = calls.length;
    for (let turn = 0; turn < 10; turn++) await settle();
    // Of the 320 records that are left none; a manifest whose reading had begun is read with its signature.
    expect(calls.length - begun).toBeLessThanOrEqual(16);
  });
});
