import { beforeAll, describe, expect, test } from '@jest/globals';
import { ChainManifest, ChainRecord } from '../../core/chain.ts';
import { sha256 } from '../../io/digest.ts';
import { protocolNamed } from '../../protocols/registry.ts';
import { putSigned, readDocument } from '../../vault/documents.ts';
import { chainManifestKey } from '../../vault/layout.ts';
import { type VerifyReport, verify } from '../../vault/verify.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { CHAIN_NODE, type HistoryWorld, historyWorld } from '../support/toy-history.ts';
import { branch, grown } from '../support/toy-network.ts';
import { newKeys } from '../support/toy-sets.ts';

let world: HistoryWorld;
beforeAll(async () => {
  world = await historyWorld(10);
  await world.run('one');
  world.node.chain = await grown(world.node.chain, 6, branch(6, 2));
  await world.run('two');
  await world.run('three');
});

const prove = (vault: MemoryVault, more = {}): Promise<VerifyReport> =>
  verify({ vault, publicKeys: [world.keys.publicKey], protocolNamed, depth: 'bytes', ...more });

/** The vault after a change to what lies in it. */
function changed(change: (objects: Map<string, Uint8Array>) => void): MemoryVault {
  const vault = new MemoryVault();
  for (const [key, bytes] of world.vault.objects) vault.objects.set(key, Uint8Array.from(bytes));
  change(vault.objects);
  return vault;
}

const codes = ({ chains, findings }: VerifyReport) =>
  [...findings, ...chains.flatMap((chain) => chain.findings)].map(({ code }) => code);

describe('the history of a chain', () => {
  test('is proven with its head, and what the chain has left is counted apart', async () => {
    const report = await prove(world.vault);
    expect(codes(report)).toEqual([]);
    expect(report.status).toBe('proven');
    expect(report.chains).toMatchObject([{ node: CHAIN_NODE, files: 3, orphaned: 2, head: { number: 11 } }]);
    expect(report.heads).toMatchObject([{ node: CHAIN_NODE, seq: 3 }]);
    expect((await prove(world.vault, { expectHead: report.heads[0]?.sha256 })).status).toBe('proven');
  });

  test('is unknown without a key, and refused under another one', async () => {
    expect((await prove(world.vault, { publicKeys: [] })).status).toBe('unknown');
    const other = await prove(world.vault, { publicKeys: [newKeys().publicKey] });
    expect(codes(other)).toContain('SIGNER_UNTRUSTED');
  });

  test('one bit of any object but leases makes it violated', async () => {
    for (const [key, bytes] of world.vault.objects) {
      const at = Math.floor(bytes.length / 2);
      const vault = changed((objects) => {
        const copy = Uint8Array.from(bytes);
        copy[at] = (copy[at] ?? 0) ^ 1;
        objects.set(key, copy);
      });
      expect([key, (await prove(vault)).status]).toEqual([key, 'violated']);
    }
  });

  test('any object but a lease that is missing shows', async () => {
    for (const key of world.vault.objects.keys()) {
      // The newest lease may be gone: leases prove nothing.
      if (key.startsWith('leases/')) continue;
      const report = await prove(changed((objects) => objects.delete(key)));
      // An agreement that no manifest cites is none of the history; here every one is cited.
      expect([key, report.status]).not.toEqual([key, 'proven']);
    }
  });

  test.each([
    ['two files', '.rlp', 'BYTES_CHANGED'],
    ['two records', '.rlp.json', 'RECORD_CHANGED'],
  ])('%s that were swapped show', async (_, ending, code) => {
    const vault = changed((objects) => {
      const [one = '', other = ''] = [...objects.keys()].filter((key) => key.endsWith(ending));
      const bytes = objects.get(one) ?? new Uint8Array();
      objects.set(one, objects.get(other) ?? new Uint8Array());
      objects.set(other, bytes);
    });
    expect(codes(await prove(vault)).some((each) => [code, 'ARTIFACT_CUT'].includes(each))).toBe(true);
  });

  test('a tail that was removed shows against the head that was known', async () => {
    const { heads } = await prove(world.vault);
    const vault = changed((objects) => {
      for (const key of objects.keys()) if (key.includes('/00000003')) objects.delete(key);
    });
    expect(codes(await prove(vault, { expectHead: heads[0]?.sha256 }))).toContain('HEAD_MISSING');
  });

  test('with evidence of fewer validators than had to agree is violated', async () => {
    const thin = await historyWorld(4, { rule: 2 });
    await thin.run('one');
    const { vault, keys } = thin;
    const report = await verify({ vault, publicKeys: [keys.publicKey], protocolNamed, depth: 'bytes' });
    expect(codes(report)).toEqual(['EVIDENCE_WRONG']);
  });

  /** What somebody with the key seals behind the third manifest. */
  async function sealed(change: (value: ChainManifest) => Partial<ChainManifest>) {
    const vault = changed(() => {});
    const third = await readDocument(vault, chainManifestKey(CHAIN_NODE, 3), ChainManifest);
    if (third === undefined) throw new Error('there is no third manifest');
    const { value, sha256 } = third;
    const next = { ...value, seq: 4, slot: 'four', previous: sha256, records: [], orphaned: [], ...change(value) };
    await putSigned(vault, world.keys.signer, chainManifestKey(CHAIN_NODE, 4), next);
    return codes(await prove(vault));
  }
  const record = async (name: string) => {
    const found = [...world.vault.objects.keys()].find((key) => key.includes(`records/${name}`)) ?? '';
    const document = await readDocument(world.vault, found, ChainRecord);
    return { key: found, sha256: document?.sha256 ?? sha256(new Uint8Array()) };
  };

  test('is held to its line of blocks even against who has the key', async () => {
    // What stands: one-block-0-3, two-block-4-7, two-block-8-11.
    const middle = await record('two-block-4-7');
    expect(await sealed(() => ({ orphaned: [middle] }))).toContain('HISTORY_GAP');
    const left = await record('one-block-4-7');
    expect(await sealed(() => ({ orphaned: [middle], records: [left] }))).toContain('HISTORY_BROKEN');
    const head = { number: 11, hash: `0x${'7'.repeat(64)}` };
    expect(await sealed(() => ({ head }))).toContain('HISTORY_HEAD_WRONG');
    expect(await sealed(() => ({ orphaned: [{ key: 'chain/x', sha256: sha256(Buffer.from('x')) }] }))).toContain(
      'RECORD_UNKNOWN',
    );
  });
});
