import { describe, expect, test } from '@jest/globals';
import { type VerifyReport, verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { backupToy, type Keys, newKeys, reading, toyProtocol } from '../support/toy-sets.ts';

const protocolNamed = () => toyProtocol;

async function threeSets(): Promise<{ vault: MemoryVault; keys: Keys }> {
  const world = { vault: new MemoryVault(), keys: newKeys() };
  for (const slot of ['2026-11-01T00:00:00Z', '2026-11-01T04:00:00Z', '2026-11-01T08:00:00Z'])
    await backupToy(world, slot);
  return world;
}

const prove = (vault: MemoryVault, keys: Keys | undefined, more = {}): Promise<VerifyReport> =>
  verify({ vault, publicKeys: keys === undefined ? [] : [keys.publicKey], protocolNamed, depth: 'bytes', ...more });

const codes = (report: VerifyReport) =>
  [...report.findings, ...report.sets.flatMap((set) => set.findings)].map(({ code }) => code);

describe('verify', () => {
  test('proves what was sealed, and prints the head', async () => {
    const { vault, keys } = await threeSets();
    const report = await prove(vault, keys);
    expect(codes(report)).toEqual([]);
    expect(report.status).toBe('proven');
    expect(report.sets.map(({ set }) => set)).toEqual(['toy-1/1', 'toy-1/2', 'toy-1/3']);
    expect(report.heads).toEqual([{ node: 'toy-1', seq: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });

  test('proves nothing without a public key from outside, though one lies in the vault', async () => {
    const { vault } = await threeSets();
    expect((await prove(vault, undefined)).status).toBe('unknown');
  });

  test('refuses signatures by a key that the given one does not vouch for', async () => {
    const { vault } = await threeSets();
    const report = await prove(vault, newKeys());
    expect(report.status).toBe('violated');
    expect(codes(report)).toContain('SIGNER_UNTRUSTED');
  });

  test('an empty vault proves nothing', async () => {
    expect((await prove(new MemoryVault(), newKeys())).status).toBe('unknown');
  });

  test('finds a single flipped bit in every file of the vault, wherever it is', async () => {
    const { vault, keys } = await threeSets();
    for (const [key, body] of vault.objects) {
      for (const bit of [0, Math.floor(body.length / 2) * 8 + 3, body.length * 8 - 1]) {
        const damaged = Uint8Array.from(body);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        vault.objects.set(key, damaged);
        const { status } = await prove(vault, keys);
        expect({ key, bit, status }).toEqual({ key, bit, status: 'violated' });
      }
      vault.objects.set(key, body);
    }
  });

  test('finds every file of the vault cut short', async () => {
    const { vault, keys } = await threeSets();
    for (const [key, body] of vault.objects) {
      for (const length of [0, body.length - 1]) {
        vault.objects.set(key, body.subarray(0, length));
        const { status } = await prove(vault, keys);
        expect({ key, length, status }).toEqual({ key, length, status: 'violated' });
      }
      vault.objects.set(key, body);
    }
  });

  test('finds every file removed, but for a slot’s newest lease; the newest manifest’s loss only a known head shows', async () => {
    const { vault, keys } = await threeSets();
    const head = (await prove(vault, keys)).heads[0]?.sha256 ?? '';
    for (const [key, body] of [...vault.objects]) {
      // The last version of a slot's lease may be gone: it then looks like a run that died, which it does no harm to be.
      if (key.startsWith('leases/') && key.endsWith('/00000002.json')) continue;
      vault.objects.delete(key);
      const { status } = await prove(vault, keys, { expectHead: head });
      expect({ key, status }).toEqual({ key, status: 'violated' });
      vault.objects.set(key, body);
    }
    expect((await prove(vault, keys, { expectHead: head })).status).toBe('proven');
  });

  test('does not pass a chain without its end while a lease tells of it', async () => {
    const { vault, keys } = await threeSets();
    vault.objects.delete('sets/toy-1/manifests/00000003.json');
    const report = await prove(vault, keys);
    expect({ status: report.status, codes: codes(report) }).toEqual({ status: 'unknown', codes: ['SET_MISSING'] });
  });

  test('finds any two files of a kind swapped', async () => {
    const { vault, keys } = await threeSets();
    const kinds = Map.groupBy(vault.objects.keys(), (key) => key.replace(/^.*\//, '').replace(/[0-9a-f]{8,}/g, ''));
    for (const [first, second] of kinds.values()) {
      if (first === undefined || second === undefined) continue;
      const [a, b] = [vault.objects.get(first), vault.objects.get(second)];
      if (a === undefined || b === undefined) continue;
      vault.objects.set(first, b).set(second, a);
      expect({ first, second, status: (await prove(vault, keys)).status }).toEqual({
        first,
        second,
        status: 'violated',
      });
      vault.objects.set(first, a).set(second, b);
    }
  });

  test('finds an older manifest replayed as the newest', async () => {
    const { vault, keys } = await threeSets();
    for (const [key, body] of [...vault.objects]) {
      if (!key.startsWith('sets/toy-1/manifests/00000002')) continue;
      vault.objects.set(key.replace('00000002', '00000004'), body);
    }
    const report = await prove(vault, keys);
    expect(report.status).toBe('violated');
    expect(codes(report)).toContain('MANIFEST_FOREIGN');
  });

  test('a set sealed under reversed edges is refused by the order of the real protocol', async () => {
    const world = { vault: new MemoryVault(), keys: newKeys() };
    await backupToy({ ...world, protocol: { ...toyProtocol, order: [['ledger', 'app']], laws: [] } }, 'reversed');
    const report = await prove(world.vault, world.keys);
    expect(report.status).toBe('violated');
    expect(codes(report)).toEqual(expect.arrayContaining(['ORDER_VIOLATED', 'VERDICT_WRONG']));
  });

  test('positions that break the law are a violation, whatever the receipts say of the order', async () => {
    const world = { vault: new MemoryVault(), keys: newKeys() };
    const forked = { app: reading('app', 'seen', 8), ledger: reading('ledger', 'end', 7) };
    await backupToy({ ...world, protocol: { ...toyProtocol, laws: [] } }, 'forked', {}, forked);
    const report = await prove(world.vault, world.keys);
    expect(report.status).toBe('violated');
    expect(codes(report)).toContain('POSITIONS_VIOLATED');
  });

  test('structure alone does not see changed bytes, and says so by being asked for structure', async () => {
    const { vault, keys } = await threeSets();
    const [key] = [...vault.objects.keys()].filter((each) => each.endsWith('app.bin'));
    const body = vault.objects.get(key ?? '') ?? new Uint8Array();
    vault.objects.set(
      key ?? '',
      body.map((byte) => byte ^ 1),
    );
    expect((await prove(vault, keys, { depth: 'structure' })).status).toBe('proven');
    expect((await prove(vault, keys)).status).toBe('violated');
  });
});
