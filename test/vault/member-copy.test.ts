import { beforeAll, describe, expect, test } from '@jest/globals';
import { protocolNamed } from '../../protocols/registry.ts';
import { verify } from '../../vault/verify.ts';
import type { MemoryVault } from '../fakes/memory-vault.ts';
import { delivered, threeRuns } from '../support/member-copy.ts';
import { CHAIN_NODE, type HistoryWorld } from '../support/toy-history.ts';
import { newKeys } from '../support/toy-sets.ts';

let world: HistoryWorld;
beforeAll(async () => {
  world = await threeRuns();
});

async function prove(vault: MemoryVault, more = {}) {
  const options = { vault, publicKeys: [world.keys.publicKey], protocolNamed, depth: 'bytes' as const, newest: true };
  const report = await verify({ ...options, ...more });
  const findings = [...report.findings, ...report.chains.flatMap((chain) => chain.findings)];
  return { ...report, all: findings, codes: findings.map(({ code }) => code) };
}

describe('what lies at a member', () => {
  test('is proven whole, every byte of every file, without a word of sets or leases', async () => {
    const vault = await delivered(world.vault);
    expect([...vault.objects.keys()].filter((key) => /^(sets|leases)\//.test(key))).toEqual([]);
    const files = [...vault.objects].filter(([key]) => key.endsWith('.rlp'));
    const bytes = files.reduce((sum, [, each]) => sum + each.length, 0);
    const report = await prove(vault);
    expect(report).toMatchObject({ status: 'proven', codes: [], chains: [{ files: files.length, bytes }] });
  });

  test('is proven while manifests are on their way; what they will cite is told, and no obstacle', async () => {
    const { status, codes, heads, all } = await prove(await delivered(world.vault, 2));
    expect([status, codes]).toEqual(['proven', ['OBJECT_UNCITED']]);
    expect(heads).toMatchObject([{ seq: 2 }]);
    expect(all[0]?.text).toContain(`4 objects that no manifest of ${CHAIN_NODE} cites`);
  });

  test('is unknown before the first manifest has come', async () => {
    const { status, codes } = await prove(await delivered(world.vault, 0));
    expect([status, codes]).toEqual(['unknown', ['NOTHING_TO_PROVE']]);
  });

  test.each([
    'readme.txt',
    'chain/consortium/readme.txt',
    'chain/consortium/records/a/b.json',
    'zzz/1.json',
    'keyring/1.pem',
  ])('a stranger’s %s is told, and no obstacle', async (key) => {
    const vault = await delivered(world.vault);
    await vault.putOnce(key, Buffer.from('x'));
    const { status, codes, all } = await prove(vault);
    expect([status, codes]).toEqual(['proven', ['OBJECT_FOREIGN']]);
    expect(all[0]?.text).toContain(`1 object that no vault has (${key})`);
  });

  test('any object that is missing, or has one bit turned over, is found', async () => {
    const whole = await delivered(world.vault);
    for (const [key, bytes] of whole.objects) {
      const gone = await delivered(world.vault);
      gone.objects.delete(key);
      const turned = await delivered(world.vault);
      turned.objects.set(
        key,
        bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)),
      );
      expect([key, (await prove(turned)).status]).toEqual([key, 'violated']);
      // The newest manifest may be on its way: only a memory of it, or another member, knows.
      if (!key.endsWith('/00000003.json')) expect([key, (await prove(gone)).status]).toEqual([key, 'violated']);
    }
  });

  test('is refused under another key', async () => {
    const report = await prove(await delivered(world.vault), { publicKeys: [newKeys().publicKey] });
    expect([report.status, new Set(report.codes)]).toEqual(['violated', new Set(['SIGNER_UNTRUSTED'])]);
  });
});
