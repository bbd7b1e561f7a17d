import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { slotAt } from '../../core/schedule.ts';
import { CopiesDiffer, CopyRefused, copyVault } from '../../vault/copy-vault.ts';
import { applyRetention, planRetention } from '../../vault/retain.ts';
import { verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { backupToy, newKeys, toyProtocol, toyRun, toySteps } from '../support/toy-sets.ts';

const keys = newKeys();
const day = (n: number): Date => new Date(Date.UTC(2026, 10, n));

async function vaultOf(days: number): Promise<MemoryVault> {
  const vault = new MemoryVault();
  for (let n = 1; n <= days; n += 1) await backupToy({ vault, keys, now: () => day(n) }, slotAt(day(n)));
  return vault;
}

async function keepLast(vault: MemoryVault, keep: { keepLast?: number }): Promise<void> {
  const question = { vault, node: 'toy-1', keep, timeZone: 'UTC', now: day(20), publicKeys: [keys.publicKey] };
  const ports = { vault, janitor: vault, signer: keys.signer, clock: { now: () => day(20) } };
  await applyRetention(await planRetention(question), ports);
}

const proof = (vault: MemoryVault) =>
  verify({ vault, publicKeys: [keys.publicKey], protocolNamed: () => toyProtocol, depth: 'bytes' });

const artifacts = (vault: MemoryVault): string[] => [...vault.objects.keys()].filter((key) => key.endsWith('.bin'));

function flip(vault: MemoryVault, key: string): void {
  const bytes = Uint8Array.from(vault.objects.get(key) ?? []);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  vault.objects.set(key, bytes);
}

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a copy of a vault', () => {
  test('has everything, is proven like its source, and is made in one go', async () => {
    const [from, to] = [await vaultOf(3), new MemoryVault()];
    const copied: string[] = [];
    const { objects, bytes } = await copyVault(from, to, { onObject: (key) => copied.push(key) });
    expect(to.objects).toEqual(from.objects);
    expect(objects).toBe(from.objects.size);
    expect(bytes).toBe([...from.objects.values()].reduce((sum, body) => sum + body.length, 0));
    expect(copied.toSorted()).toEqual([...from.objects.keys()].toSorted());
    expect((await proof(to)).status).toBe('proven');
    expect(await copyVault(from, to)).toEqual({ objects: 0, bytes: 0 });
  });

  test('gets what came since, and back what was lost in it', async () => {
    const [from, to] = [await vaultOf(1), new MemoryVault()];
    await copyVault(from, to);
    await backupToy({ vault: from, keys, now: () => day(2) }, slotAt(day(2)));
    to.objects.delete(artifacts(to)[0] ?? '');
    await copyVault(from, to);
    expect(to.objects).toEqual(from.objects);
  });

  test('leaves behind what no manifest cites, such as a run under way', async () => {
    const [from, to] = [await vaultOf(1), new MemoryVault()];
    const steps = toySteps({ vault: from, keys }, toyRun('under-way', { reason: 'manual' }));
    await steps.claim();
    await steps.capture();
    await copyVault(from, to);
    expect([...to.objects.keys()].filter((key) => key.includes('/runs/under-way/'))).toEqual([]);
    expect((await proof(to)).status).toBe('proven');
  });

  test('of a vault whose sets expired says so, too', async () => {
    const [from, early, late] = [await vaultOf(3), new MemoryVault(), new MemoryVault()];
    await copyVault(from, early);
    await keepLast(from, { keepLast: 1 });
    for (const to of [early, late]) {
      await copyVault(from, to);
      expect((await proof(to)).status).toBe('proven');
      expect((await proof(to)).sets.map(({ expired }) => expired)).toEqual([true, true, false]);
    }
    expect(late.objects).toEqual(from.objects);
    await keepLast(early, {});
    expect(early.objects).toEqual(from.objects);
  });

  test('is not disturbed by retention that works at the same time', async () => {
    const [from, to] = [await vaultOf(3), new MemoryVault()];
    let objects = 0;
    class Busy extends MemoryVault {
      override async putOnce(key: string, body: Uint8Array): Promise<boolean> {
        objects += 1;
        if (objects === 5) await keepLast(from, { keepLast: 1 });
        return super.putOnce(key, body);
      }
    }
    const busy = Object.assign(new Busy(), { objects: to.objects });
    await copyVault(from, busy);
    expect((await proof(to)).status).toBe('proven');
    await copyVault(from, busy);
    expect((await proof(to)).sets.map(({ expired }) => expired)).toEqual([true, true, false]);
  });

  test('law: broken off anywhere it shows whole sets only, and goes on from there', async () => {
    const from = await vaultOf(3);
    await keepLast(from, { keepLast: 2 });
    class Mortal extends MemoryVault {
      left = 0;
      override async putOnce(key: string, body: Uint8Array): Promise<boolean> {
        this.left -= 1;
        if (this.left < 0) throw new Error('killed');
        return super.putOnce(key, body);
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }), async (lives) => {
        const to = new MemoryVault();
        for (const left of lives) {
          const error = await rejection(copyVault(from, Object.assign(new Mortal(), { left, objects: to.objects })));
          if (error !== undefined) expect(error).toEqual(new Error('killed'));
          expect((await proof(to)).sets.filter(({ status }) => status !== 'proven')).toEqual([]);
        }
        await copyVault(from, to);
        expect(to.objects).toEqual(from.objects);
      }),
      { numRuns: 12 },
    );
  });

  test('may be made twice at the same moment', async () => {
    const [from, to] = [await vaultOf(2), new MemoryVault()];
    await Promise.all([copyVault(from, to), copyVault(from, to)]);
    expect(to.objects).toEqual(from.objects);
  });

  test('has large objects copied by whoever does that, and notes what is damaged all the same', async () => {
    const [from, to] = [await vaultOf(1), new MemoryVault()];
    const asked: string[] = [];
    const [spoilt = ''] = artifacts(from);
    const copy = async (key: string, sha256: string | undefined) => {
      asked.push(`${key} ${sha256}`);
      if (key === spoilt) return undefined;
      await to.putOnce(key, from.objects.get(key) ?? Buffer.alloc(0));
      return from.objects.get(key)?.length;
    };
    const size = (key: string) => from.objects.get(key)?.length ?? 0;
    const atLeast = Math.min(...artifacts(from).map(size));
    const error = await rejection(copyVault(from, to, { large: { atLeast, copy } }));
    expect(error).toMatchObject({ name: 'CopyRefused', keys: [spoilt] });
    expect([...from.objects.keys()].filter((key) => !to.objects.has(key))).toEqual([spoilt]);
    for (const key of artifacts(from)) expect(asked.join()).toMatch(new RegExp(`${key} [0-9a-f]{64}`));
    const ofThese = asked.map((each) => each.split(' ')[0] ?? '');
    expect(ofThese.filter((key) => size(key) < atLeast)).toEqual([]);
  });

  test('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const to = new MemoryVault();
    const copying = copyVault(await vaultOf(2), to, {
      signal: controller.signal,
      onObject: () => controller.abort(new Error('interrupted')),
    });
    await expect(copying).rejects.toThrow('interrupted');
    expect(to.objects.size).toBe(1);
  });
});

describe('damage in the first vault', () => {
  test('is named and not taken over, and everything else is', async () => {
    const [from, to] = [await vaultOf(2), new MemoryVault()];
    const [flipped = '', , lost = ''] = artifacts(from);
    flip(from, flipped);
    from.objects.delete(lost);
    const error = await rejection(copyVault(from, to));
    expect(error).toBeInstanceOf(CopyRefused);
    expect(error).toMatchObject({ kind: 'violation', keys: [flipped, lost] });
    expect([...from.objects.keys()].filter((key) => !to.objects.has(key))).toEqual([flipped]);
    expect((await proof(to)).heads).toMatchObject([{ seq: 2 }]);
  });

  test('of a manifest or its signature keeps that manifest out, and is mended by the next copy', async () => {
    const whole = await vaultOf(2);
    for (const what of [/manifests\/0+1\.json$/, /manifests\/0+2-.*\.sig$/]) {
      const [from, to] = [new MemoryVault(), new MemoryVault()];
      for (const [key, body] of whole.objects) from.objects.set(key, body);
      const key = [...from.objects.keys()].find((each) => what.test(each)) ?? '';
      if (key.endsWith('.sig')) from.objects.delete(key);
      else flip(from, key);
      await expect(copyVault(from, to)).rejects.toBeInstanceOf(CopyRefused);
      expect([...to.objects.keys()].filter((each) => each.endsWith('.json') && /manifests/.test(each))).toHaveLength(1);
      from.objects.set(key, whole.objects.get(key) ?? Buffer.alloc(0));
      await copyVault(from, to);
      expect(to.objects).toEqual(whole.objects);
    }
  });

  test('that came after the copy leaves the copy whole', async () => {
    const [from, to] = [await vaultOf(1), new MemoryVault()];
    await copyVault(from, to);
    from.objects.set(artifacts(from)[0] ?? '', Buffer.from('cut'));
    await expect(copyVault(from, to)).rejects.toBeInstanceOf(CopyRefused);
    expect((await proof(to)).status).toBe('proven');
  });
});

describe('two vaults', () => {
  test('with other histories of a node are never mixed', async () => {
    const [one, other] = [await vaultOf(1), new MemoryVault()];
    await backupToy({ vault: other, keys: newKeys() }, 'another-history', { reason: 'manual' });
    const before = new Map(other.objects);
    await expect(copyVault(one, other)).rejects.toBeInstanceOf(CopiesDiffer);
    expect(other.objects).toEqual(before);
  });

  test('of different networks are never mixed', async () => {
    const [one, other] = [await vaultOf(1), new MemoryVault()];
    await backupToy({ vault: other, keys }, 'x', {
      reason: 'manual',
      network: 'another' as never,
      node: 'toy-2' as never,
    });
    const before = new Map(other.objects);
    await expect(copyVault(one, other)).rejects.toThrow('format.json is not the same');
    expect(other.objects).toEqual(before);
  });

  test('with other bytes under one key are told apart', async () => {
    const [from, to] = [await vaultOf(1), new MemoryVault()];
    const [lease = ''] = [...from.objects.keys()].filter((key) => key.startsWith('leases/'));
    await to.putOnce(lease, Buffer.from('something else'));
    await expect(copyVault(from, to)).rejects.toThrow(`${lease} is not the same`);
  });
});
