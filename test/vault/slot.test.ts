import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fence, Slot } from '../../core/names.ts';
import { StaleFence } from '../../core/slot.ts';
import { run as planWaves } from '../../lambdas/plan-waves/run.ts';
import { run as startCapture } from '../../lambdas/start-capture/run.ts';
import { leaseKey } from '../../vault/layout.ts';
import { latestLease } from '../../vault/leases.ts';
import { readSets } from '../../vault/sets.ts';
import { verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { backupToy, newKeys, toyProtocol, toyRun, toySteps } from '../support/toy-sets.ts';

const SLOT = Slot.parse('2026-11-01T00:00:00Z');
const keys = newKeys();

async function setsIn(vault: MemoryVault) {
  const sets = [];
  for await (const { manifest } of readSets(vault, 'toy-1')) sets.push(manifest.value);
  return sets;
}

function forget(vault: MemoryVault, slot: string) {
  for (const key of vault.objects.keys()) if (key.startsWith(`leases/toy-1/${slot}/`)) vault.objects.delete(key);
}

const status = async (vault: MemoryVault) =>
  (await verify({ vault, publicKeys: [keys.publicKey], protocolNamed: () => toyProtocol, depth: 'bytes' })).status;

/** A process that dies: after so many calls to the vault every further one rejects. */
class DyingVault extends MemoryVault {
  left: number;
  constructor(shared: MemoryVault, calls: number) {
    super();
    this.left = calls;
    Object.assign(this, { objects: shared.objects });
  }
  override async putOnce(key: string, body: Uint8Array): Promise<boolean> {
    this.#live();
    return super.putOnce(key, body);
  }
  override async get(key: string): Promise<Uint8Array | undefined> {
    this.#live();
    return super.get(key);
  }
  #live(): void {
    if (this.left-- <= 0) throw new Error('killed');
  }
}

describe('a slot', () => {
  test('run twice gives one set', async () => {
    const vault = new MemoryVault();
    await backupToy({ vault, keys }, SLOT);
    const before = [...vault.objects.keys()];
    expect(await backupToy({ vault, keys }, SLOT)).toMatchObject({ outcome: 'sealed', fence: 1, set: 'toy-1/1' });
    expect([...vault.objects.keys()]).toEqual(before);
  });

  test('run twenty times at the same moment gives one set', async () => {
    const vault = new MemoryVault();
    const runs = Array.from({ length: 20 }, async (_, n) => {
      const steps = toySteps({ vault, keys }, toyRun(SLOT));
      const claimed = await steps.claim(`holder-${n}`);
      if (claimed.outcome === 'taken') {
        await steps.capture(claimed.fence);
        await steps.seal(claimed.fence);
      }
      return claimed.outcome;
    });
    expect((await Promise.all(runs)).filter((outcome) => outcome === 'taken')).toHaveLength(1);
    expect(await setsIn(vault)).toHaveLength(1);
  });

  test('whose holder died is taken over at once with the next fence, and the dead one stops at its next effect', async () => {
    const vault = new MemoryVault();
    const dead = toySteps({ vault, keys }, toyRun(SLOT));
    expect(await dead.claim('dead')).toMatchObject({ outcome: 'taken', fence: 1 });
    const next = toySteps({ vault, keys, holderGone: (holder) => holder === 'dead' }, toyRun(SLOT));
    expect(await next.claim('next')).toMatchObject({ outcome: 'taken', fence: 2 });
    await expect(dead.capture(1)).rejects.toThrow(StaleFence);
    await expect(dead.seal(1)).rejects.toThrow(StaleFence);
    await next.capture(2);
    await next.seal(2);
    expect(await setsIn(vault)).toMatchObject([{ slot: SLOT, fence: 2 }]);
  });

  test('that was sealed is known to be so when its leases are gone', async () => {
    const vault = new MemoryVault();
    await backupToy({ vault, keys }, 'before');
    await backupToy({ vault, keys }, SLOT);
    forget(vault, SLOT);
    expect(await backupToy({ vault, keys }, SLOT)).toMatchObject({ outcome: 'sealed', fence: 1, set: 'toy-1/2' });
  });

  test('whose leases are gone is taken with a fence above all that lies there', async () => {
    const vault = new MemoryVault();
    const first = toySteps({ vault, keys }, toyRun(SLOT));
    await first.claim('first');
    await first.capture();
    forget(vault, SLOT);
    const next = toySteps({ vault, keys }, toyRun(SLOT));
    expect(await next.claim('next')).toMatchObject({ outcome: 'taken', fence: 2 });
    await next.capture(2);
    await next.seal(2);
    expect(await status(vault)).toBe('proven');
  });

  test('does not believe a lease of another slot, or an older version of its own', async () => {
    const vault = new MemoryVault();
    await backupToy({ vault, keys }, SLOT);
    await backupToy({ vault, keys }, 'other');
    for (const from of [leaseKey('toy-1', 'other', 2), leaseKey('toy-1', SLOT, 1)]) {
      vault.objects.set(leaseKey('toy-1', SLOT, 2), vault.objects.get(from) ?? new Uint8Array());
      await expect(latestLease(vault, 'toy-1', SLOT)).rejects.toThrow('moved or replayed');
      expect(await status(vault)).toBe('violated');
    }
  });

  test('with a live lease is not taken; with an expired one it is', async () => {
    const vault = new MemoryVault();
    let now = new Date('2026-11-01T00:00:00Z');
    const world = { vault, keys, now: () => now };
    await toySteps(world, toyRun(SLOT)).claim('one');
    expect(await toySteps(world, toyRun(SLOT)).claim('two')).toMatchObject({ outcome: 'running' });
    now = new Date('2026-11-01T00:15:00Z');
    expect(await toySteps(world, toyRun(SLOT)).claim('two')).toMatchObject({ outcome: 'taken', fence: 2 });
  });

  test('keeps its lease while effects go on', async () => {
    const vault = new MemoryVault();
    let now = new Date('2026-11-01T00:00:00Z');
    const steps = toySteps({ vault, keys, now: () => now }, toyRun(SLOT));
    await steps.claim();
    now = new Date('2026-11-01T00:14:00Z');
    await steps.capture();
    expect((await latestLease(vault, 'toy-1', SLOT))?.value.expiresAt).toBe('2026-11-01T00:29:00.000Z');
  });

  test('law: killed anywhere, any number of times, it ends as one proven set that cites one attempt only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 5 }), async (deaths) => {
        const vault = new MemoryVault();
        const holderGone = () => true;
        for (const [n, calls] of deaths.entries()) {
          const dying = { vault: new DyingVault(vault, calls), keys, holderGone };
          const steps = toySteps(dying, toyRun(SLOT));
          try {
            const claimed = await steps.claim(`dying-${n}`);
            if (claimed.outcome !== 'taken') continue;
            await steps.capture(claimed.fence);
            await steps.seal(claimed.fence);
          } catch (error) {
            expect((error as Error).message).toBe('killed');
          }
        }
        const last = toySteps({ vault, keys, holderGone }, toyRun(SLOT));
        const claimed = await last.claim('last');
        if (claimed.outcome === 'taken') {
          await last.capture(claimed.fence);
          await last.seal(claimed.fence);
        }
        const [set, ...more] = await setsIn(vault);
        expect(more).toEqual([]);
        for (const { artifacts } of set?.components ?? []) {
          for (const { key } of artifacts) expect(key).toContain(`/${SLOT}/${set?.fence}/`);
        }
        expect(await status(vault)).toBe('proven');
      }),
      { numRuns: 60 },
    );
  });
});

describe('the guard', () => {
  const claimed = async () => {
    const steps = toySteps({ vault: new MemoryVault(), keys }, toyRun(SLOT));
    await steps.claim();
    const { waves } = await planWaves({ run: toyRun(SLOT), fence: Fence.parse(1) }, steps.ports);
    const ticket = waves[1]?.[0];
    if (ticket === undefined) throw new Error('the toy has two waves');
    return { steps, ticket, components: toyRun(SLOT).components };
  };

  test('refuses to start a capture whose predecessor has not ended, even if the workflow asks for it', async () => {
    const { steps, ...asked } = await claimed();
    await expect(startCapture(asked, steps.ports)).rejects.toMatchObject({ name: 'PredecessorNotEnded' });
  });

  test('is not talked out of it by a list that leaves the predecessor out', async () => {
    const { steps, ticket, components } = await claimed();
    const alone = { ticket, components: components.filter(({ component }) => component === 'ledger') };
    await expect(startCapture(alone, steps.ports)).rejects.toMatchObject({ name: 'PredecessorNotEnded' });
  });
});

describe('sealing', () => {
  test('of two slots at once gives one chain', async () => {
    const vault = new MemoryVault();
    await Promise.all(Array.from({ length: 8 }, (_, n) => backupToy({ vault, keys }, `slot-${n}`)));
    expect((await setsIn(vault)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await status(vault)).toBe('proven');
  });

  test('refuses a set whose captures started too far apart', async () => {
    const vault = new MemoryVault();
    let hour = 0;
    const world = { vault, keys, now: () => new Date(Date.UTC(2026, 10, 1, 0, hour)) };
    const steps = toySteps(world, toyRun(SLOT, { maxSpreadSeconds: 60 }));
    await steps.claim();
    const captures = steps.ports.captures;
    Object.assign(captures, {
      finish: (
        (finish) => (handle: string) =>
          finish(handle).finally(() => (hour += 2))
      )(captures.finish),
    });
    await steps.capture();
    await expect(steps.seal()).rejects.toMatchObject({ name: 'StaleSet' });
    expect(await setsIn(vault)).toEqual([]);
  });
});
