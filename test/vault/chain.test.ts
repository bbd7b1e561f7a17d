import { describe, expect, test } from '@jest/globals';
import { ChainDamaged } from '../../core/manifest.ts';
import type { Reading } from '../../core/positions.ts';
import { sha256 } from '../../io/digest.ts';
import { verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { backupToy, newKeys, reading, toyProtocol, toyRun, toySteps } from '../support/toy-sets.ts';

const keys = newKeys();
const HEAD = 'sets/toy-1/manifests/00000002.json';

async function twoSets() {
  const vault = new MemoryVault();
  for (const slot of ['one', 'two']) await backupToy({ vault, keys }, slot);
  const sealed = vault.objects.get(HEAD) ?? new Uint8Array();
  return { vault, sealed };
}

/** What was there, so changed that it is no document, or that it is one and says something else. */
const damages: [string, (sealed: Uint8Array) => Uint8Array][] = [
  ['a bit turned over', (sealed) => sealed.map((byte, index) => (index === 0 ? byte ^ 1 : byte))],
  ['another digit in it', (sealed) => Buffer.from(Buffer.from(sealed).toString().replace('"fence":1', '"fence":2'))],
  ['nothing in it', () => new Uint8Array()],
];

describe('behind a manifest with', () => {
  test.each(damages)('%s no slot is claimed, and the remedy mends it', async (_, damaged) => {
    const { vault, sealed } = await twoSets();
    vault.objects.set(HEAD, damaged(sealed));
    const before = [...vault.objects.keys()];
    const refused = await toySteps({ vault, keys }, toyRun('three'))
      .claim()
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ChainDamaged);
    expect(refused).toMatchObject({ kind: 'violation', message: expect.stringContaining(sha256(sealed)) });
    expect([...vault.objects.keys()]).toEqual(before);
    vault.objects.set(HEAD, sealed);
    expect(await backupToy({ vault, keys }, 'three')).toMatchObject({ set: 'toy-1/3', verdict: 'proven' });
  });

  test.each(damages)('%s nothing is sealed, if it was damaged since the slot was claimed', async (_, damaged) => {
    const { vault, sealed } = await twoSets();
    const steps = toySteps({ vault, keys }, toyRun('three'));
    await steps.claim();
    await steps.capture();
    vault.objects.set(HEAD, damaged(sealed));
    await expect(steps.seal()).rejects.toThrow(ChainDamaged);
    expect([...vault.objects.keys()].filter((key) => key.includes('/manifests/00000003'))).toEqual([]);
  });

  test('a bit turned over its own slot is not run again', async () => {
    const { vault, sealed } = await twoSets();
    vault.objects.set(HEAD, sealed.subarray(1));
    await expect(backupToy({ vault, keys }, 'two')).rejects.toThrow(ChainDamaged);
    expect(await backupToy({ vault, keys }, 'one')).toMatchObject({ outcome: 'sealed', set: 'toy-1/1' });
  });
});

describe('the identity of a node', () => {
  const as = (identity: string | undefined): Record<'app' | 'ledger', Reading> => ({
    app: { ...reading('app', 'seen', 5), ...(identity === undefined ? {} : { identity }) } as Reading,
    ledger: reading('ledger', 'end', 7),
  });
  const unread: Record<'app' | 'ledger', Reading> = {
    app: { status: 'unknown', reason: 'a new schema' },
    ledger: reading('ledger', 'end', 7),
  };

  test('is held against the newest set that tells it, until it is changed on purpose', async () => {
    const vault = new MemoryVault();
    const world = { vault, keys };
    await backupToy(world, 'a', {}, as('PAR::a'));
    await backupToy(world, 'unread', {}, unread);
    await expect(backupToy(world, 'b', {}, as('PAR::b'))).rejects.toMatchObject({
      name: 'IdentityChanged',
      message: 'app.identity of toy-1 is PAR::b, and was PAR::a in toy-1/1',
    });
    await backupToy(world, 'purpose', { reason: 'config-change' }, unread);
    await backupToy(world, 'b2', {}, as('PAR::b'));
    await expect(backupToy(world, 'a2', {}, as('PAR::a'))).rejects.toMatchObject({ name: 'IdentityChanged' });
    const report = await verify({
      vault,
      publicKeys: [keys.publicKey],
      protocolNamed: () => toyProtocol,
      depth: 'bytes',
    });
    expect(report.sets).toHaveLength(4);
  });
});
