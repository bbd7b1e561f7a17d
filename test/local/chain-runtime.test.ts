import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { KmsUnavailable } from '../../core/kms.ts';
import { readAgreement, readHistory } from '../../vault/history.ts';
import { toyChain } from '../support/chain-writer.ts';
import { CHAIN_NODE, type HistoryWorld, historyWorld } from '../support/toy-history.ts';
import { branch, grown } from '../support/toy-network.ts';

/** Every law of a history: from genesis, no gap, no overlap, linked, and each file holds exactly those blocks. */
async function expectSound({ vault, node, records }: HistoryWorld): Promise<void> {
  let next = 0;
  for (const { file, start, end } of await records()) {
    expect(start.number).toBe(next);
    expect([start.hash, end.hash]).toEqual([node.chain.hashes[start.number], node.chain.hashes[end.number]]);
    if (start.number > 0) expect(start.parentHash).toBe(node.chain.hashes[start.number - 1]);
    const bytes = vault.objects.get(`chain/${CHAIN_NODE}/${file.name}`);
    expect(bytes).toEqual(Uint8Array.from(Buffer.concat(node.chain.blocks.slice(start.number, end.number + 1))));
    next = end.number + 1;
  }
}

describe('a run over a chain', () => {
  test('exports from genesis in files, and a second one at its slot does nothing', async () => {
    const it = await historyWorld(10);
    expect((await it.run('one')).sealChain).toMatchObject({ seq: 1, records: 3, orphaned: 0, head: 9 });
    await expectSound(it);
    const names = (await it.records()).map(({ file }) => file.name);
    expect(names).toEqual(['one-block-0-3.rlp', 'one-block-4-7.rlp', 'one-block-8-9.rlp']);
    const again = await it.run('one');
    expect(again).toMatchObject({ claimChainSlot: { outcome: 'sealed', seq: 1 } });
    expect(again.sealChain).toBeUndefined();
  });

  test('asks a KMS that is throttled at the seal again', async () => {
    const it = await historyWorld(3);
    const sign = jest.spyOn(it.keys.signer, 'sign');
    sign.mockRejectedValueOnce(new KmsUnavailable('a key', 'ThrottlingException'));
    expect((await it.run('one')).sealChain).toMatchObject({ seq: 1, head: 2 });
    expect(sign).toHaveBeenCalledTimes(2);
    await expectSound(it);
  }, 15_000);

  test('goes on from the last block of the history', async () => {
    const it = await historyWorld(3);
    await it.run('one');
    it.node.chain = await grown(it.node.chain, 3, branch(3, 1));
    expect((await it.run('two')).sealChain).toMatchObject({ seq: 2, records: 1, head: 5 });
    await expectSound(it);
    expect((await it.run('three')).sealChain).toMatchObject({ seq: 3, records: 0, head: 5 });
  });

  test('takes whole files of an earlier attempt over, and exports the others', async () => {
    const it = await historyWorld(10);
    it.node.onBlock = (number) => {
      if (number === 6) throw new Error('killed');
    };
    await expect(it.run('one')).rejects.toThrow('killed');
    const asked: number[] = [];
    it.node.onBlock = (number) => asked.push(number);
    it.node.chain = await grown(it.node.chain, 10, branch(1, 1));
    expect((await it.run('one')).sealChain).toMatchObject({ seq: 1, records: 3, head: 10 });
    expect(asked).toEqual([4, 5, 6, 7, 8, 9, 10]);
    await expectSound(it);
  });

  test('a file of other blocks under the name that is wanted stays, and the new one is told apart', async () => {
    const it = await historyWorld(4);
    const foreign = Buffer.concat((await toyChain(branch(4, 2))).blocks as Uint8Array[]);
    it.vault.objects.set(`chain/${CHAIN_NODE}/one-block-0-3.rlp`, foreign);
    await it.run('one');
    expect((await it.records()).map(({ file }) => file.name)).toEqual(['one-block-0-3-2.rlp']);
    expect(it.vault.objects.get(`chain/${CHAIN_NODE}/one-block-0-3.rlp`)).toBe(foreign);
    await expectSound(it);
  });

  test('a reorganisation below the last end takes records out of the history, and exports what took their place', async () => {
    const it = await historyWorld(10);
    await it.run('one');
    it.node.chain = await grown(it.node.chain, 6, branch(6, 2));
    expect((await it.run('two')).sealChain).toMatchObject({ seq: 2, records: 2, orphaned: 2, head: 11 });
    await expectSound(it);
    const { entries } = await readHistory(it.vault, CHAIN_NODE);
    expect(entries.map(({ canonical }) => canonical)).toEqual([true, false, false, true, true]);
  });

  test('a reorganisation while a file is read leaves no file', async () => {
    const it = await historyWorld(4);
    const other = await grown(it.node.chain, 2, branch(2, 2));
    it.node.onBlock = (number) => {
      if (number === 2) it.node.chain = other;
    };
    await expect(it.run('one')).rejects.toMatchObject({ name: 'ChainBroken' });
    expect([...it.vault.objects.keys()].filter((key) => key.includes('.rlp'))).toEqual([]);
    expect(await it.records()).toEqual([]);
  });

  test('a reorganisation between the agreement and the first file leaves no file', async () => {
    const it = await historyWorld(4);
    await it.run('one');
    it.node.chain = await grown(it.node.chain, 4, branch(4, 1));
    const other = await grown(it.node.chain, 2, branch(6, 2));
    it.node.onHashes = () => {
      if (it.vault.objects.has(`chain/${CHAIN_NODE}/runs/two/1/agreement.json`)) it.node.chain = other;
    };
    await expect(it.run('two')).rejects.toMatchObject({ name: 'ReorganisedMeanwhile' });
    expect([...it.vault.objects.keys()].filter((key) => key.includes('two-block'))).toEqual([]);
  });

  test('a reorganisation after the last file was read seals nothing', async () => {
    const it = await historyWorld(10);
    const other = await grown(it.node.chain, 9, branch(1, 2));
    it.node.onHashes = () => {
      if (it.vault.objects.has(`chain/${CHAIN_NODE}/records/one-block-8-9.rlp.json`)) it.node.chain = other;
    };
    await expect(it.run('one')).rejects.toMatchObject({ name: 'ReorganisedMeanwhile' });
    expect(await it.records()).toEqual([]);
  });

  test.each([
    ['a record', `records/one-block-4-7.rlp.json`, 'the records of this slot lead to block 3'],
    ['a file', 'one-block-4-7.rlp', 'one-block-4-7.rlp is missing'],
  ])('%s that somebody removes before the seal is missed, and nothing is sealed', async (_, name, message) => {
    const it = await historyWorld(10);
    it.node.onBlock = (number) => {
      if (number === 9) it.vault.objects.delete(`chain/${CHAIN_NODE}/${name}`);
    };
    const refused = { name: 'HistoryDamaged', message: expect.stringContaining(message) };
    await expect(it.run('one')).rejects.toMatchObject(refused);
    expect(await it.records()).toEqual([]);
  });

  test('records are taken out by the word of the validators, and not by the monitor’s alone', async () => {
    const it = await historyWorld(10);
    await it.run('one');
    it.node.chain = await grown(it.node.chain, 6, branch(6, 2));
    it.doubt();
    await expect(it.run('two')).rejects.toMatchObject({ name: 'ConsensusStalled' });
    const { entries } = await readHistory(it.vault, CHAIN_NODE);
    expect(entries.map(({ canonical }) => canonical)).toEqual([true, true, true]);
  });

  test('what the chain calls a record’s end by now is in the agreement', async () => {
    const it = await historyWorld(10);
    await it.run('one');
    it.node.chain = await grown(it.node.chain, 6, branch(6, 2));
    await it.run('two');
    const agreement = await readAgreement(it.vault, { node: CHAIN_NODE, slot: 'two', fence: 1 });
    const { hashes } = it.node.chain;
    expect(agreement?.value.orphaned.map(({ now }) => now)).toEqual([hashes[7], hashes[9]]);
  });

  test('a node that is behind the history changes nothing', async () => {
    const it = await historyWorld(10);
    await it.run('one');
    it.node.chain = { blocks: it.node.chain.blocks.slice(0, 7), hashes: it.node.chain.hashes.slice(0, 7) };
    await expect(it.run('two')).rejects.toMatchObject({ name: 'NodeBehind' });
    expect((await it.records()).at(-1)?.end.number).toBe(9);
  });

  test('a node of another chain is refused by name', async () => {
    const it = await historyWorld(4);
    await it.run('one');
    it.node.chain = await toyChain(branch(8, 3));
    await expect(it.run('two')).rejects.toMatchObject({ name: 'AnotherChain' });
  });

  test.each(['gzip', 'zstd'] as const)('stores files compressed by %s, and takes them over', async (compression) => {
    const it = await historyWorld(6, { compression });
    it.node.onBlock = (number) => {
      if (number === 5) throw new Error('killed');
    };
    await expect(it.run('one')).rejects.toThrow('killed');
    it.node.onBlock = (number) => {
      if (number < 4) throw new Error(`block ${number} was asked for again`);
    };
    expect((await it.run('one')).sealChain).toMatchObject({ records: 2 });
  });
});

type Act = { readonly keep: number; readonly more: number; readonly dieAt: number | undefined; readonly slot: number };

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    // Of ten blocks, how many stay: less than ten is a reorganisation of those behind.
    keep: fc.integer({ min: 1, max: 12 }),
    more: fc.integer({ min: 0, max: 6 }),
    dieAt: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
    slot: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 6 },
);

test('over all histories of appends, reorganisations, crashes and restarts the records are gapless, linked and exact', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (history) => {
      const it = await historyWorld(5);
      let blocks = 0;
      for (const [n, { keep, more, dieAt, slot }] of history.entries()) {
        const length = it.node.chain.blocks.length;
        const stay = keep > 9 ? length : Math.max(1, Math.min(length, Math.floor((length * keep) / 10)));
        // Never shorter than before: a node that is behind is another test.
        it.node.chain = await grown(it.node.chain, stay, branch(length - stay + more, n + 2));
        it.node.onBlock = () => {
          if (blocks++ === dieAt) throw new Error('killed');
        };
        blocks = 0;
        await it.run(`slot-${slot}-${Math.floor(n / 2)}`).catch((error: unknown) => {
          if (!(error instanceof Error && error.message.includes('killed'))) throw error;
        });
        it.node.onBlock = () => {};
      }
      await it.run('last');
      await expectSound(it);
      expect((await it.records()).at(-1)?.end.number).toBe(it.node.chain.blocks.length - 1);
    }),
    { numRuns: 25 },
  );
}, 60_000);
