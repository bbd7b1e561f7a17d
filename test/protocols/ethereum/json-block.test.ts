import { readFileSync } from 'node:fs';
import { type Input, RLP } from '@ethereumjs/rlp';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { blockCutter } from '../../../protocols/ethereum/block-cutter.ts';
import { blockRebuilder, type RebuildBlock } from '../../../protocols/ethereum/json-block.ts';
import { keccak256 } from '../../../protocols/ethereum/keccak.ts';
import { encodeRlp, type RlpItem } from '../../../protocols/ethereum/rlp-write.ts';
import { blockJson, ommerJson } from '../../fakes/block-json.ts';
import { chainOf } from '../../fakes/chain-blocks.ts';
import { describeWithRecordings, RECORDED_CHAINS, recorded } from '../../support/chain-fixtures.ts';
import { ibft2Seal, ibftSeal, qbftSeal, type ToyBlock, toyChain } from '../../support/chain-writer.ts';

let rebuild: RebuildBlock;
beforeAll(async () => {
  rebuild = blockRebuilder(await keccak256());
});

/** Each block, and what its node would show. */
async function shownOf(blocks: readonly Uint8Array[]) {
  return [...(await chainOf(blocks)).values()].map(({ bytes, hash }) => {
    const json: Record<string, unknown> = { ...blockJson(bytes, hash(), true) };
    return { bytes, json, ommers: (json['uncles'] as unknown[]).map((_, at) => ommerJson(bytes, at)) };
  });
}

async function oneOf(block: ToyBlock) {
  const [shown] = await shownOf((await toyChain([block])).blocks);
  if (shown === undefined) throw new Error('no block');
  return shown;
}

const zeros = (length: number, fill = 0) => new Uint8Array(length).fill(fill);
const typed = (type: number, fields: Input): Uint8Array => Buffer.concat([Uint8Array.of(type), RLP.encode(fields)]);
const CALL: Input[] = [21_000, zeros(20, 9), 5, zeros(40, 3)];
const ACCESS: Input = [[zeros(20, 4), [zeros(32, 5), zeros(32)]]];
const SIGNED: Input[] = [1, zeros(32, 6), zeros(31, 7)];
const FEES: Input[] = [1337, 0, 1, 2, ...CALL, ACCESS];
const legacy = (v: number, to: Uint8Array = zeros(20, 9)): Input => [7, 0, 21_000, to, 0, zeros(64, 1), v, 1, 200];

const EVERY_FORM: Input[] = [
  ...[legacy(27), legacy(2710), legacy(28, zeros(0))],
  typed(1, [1337, 1, 2, ...CALL, ACCESS, ...SIGNED]),
  typed(2, [...FEES, ...SIGNED]),
  typed(3, [...FEES, 9, [zeros(32, 1)], ...SIGNED]),
  typed(4, [...FEES, [[1337, zeros(20, 8), 3, ...SIGNED]], ...SIGNED]),
];
const CANCUN: Input[] = [0, 131_072, zeros(32, 2)];

describe('a block that is put together from its JSON', () => {
  test.each<[string, ToyBlock]>([
    ['without anything in it', {}],
    ['with a transaction of every type', { transactions: EVERY_FORM }],
    ['with private transactions of Quorum', { transactions: [legacy(37), legacy(38)] }],
    ['with withdrawals, and fields of Cancun', { withdrawals: [[1, 2, zeros(20, 3), 0]], fields: CANCUN }],
    ['with no withdrawals of Prague', { withdrawals: [], fields: [...CANCUN, zeros(32, 4)] }],
    ['of legacy IBFT', { seal: ibftSeal() }],
    ['of QBFT', { seal: qbftSeal() }],
    ['of IBFT 2', { seal: ibft2Seal() }],
  ])('%s is the block as it lies in a file', async (_, block) => {
    // Not the first block of a chain: a genesis is hashed in a way of its own.
    const [, shown] = await shownOf((await toyChain([{}, block])).blocks);
    expect(rebuild(shown?.json, shown?.ommers ?? [])).toEqual(Uint8Array.from(shown?.bytes ?? []));
  });

  test('has its ommers, each asked for by itself', async () => {
    const [header] = RLP.decode((await toyChain([{}])).blocks[0] ?? zeros(0)) as Uint8Array[][];
    const { bytes, json, ommers } = await oneOf({ ommers: [header ?? [], header ?? []] });
    expect(rebuild(json, ommers)).toEqual(Uint8Array.from(bytes));
    expect(() => rebuild(json, ommers.slice(1))).toThrow('1 of its 2 ommers are known');
    expect(() => rebuild(json, [ommers[0], { ...ommers[1], timestamp: '0x5' }])).toThrow('its ommers hash is');
  });

  test('takes the parity of a signature from v where that is all that is shown', async () => {
    const { bytes, json } = await oneOf({ transactions: [typed(2, [...FEES, ...SIGNED])] });
    const [{ yParity: _, ...shown } = {}] = json['transactions'] as Record<string, unknown>[];
    expect(rebuild({ ...json, transactions: [shown] }, [])).toEqual(Uint8Array.from(bytes));
  });

  test('is refused with another miner than the header has, as some clients show it on Clique', async () => {
    const { json } = await oneOf({});
    const miner = `0x${'ab'.repeat(20)}`;
    expect(() => rebuild({ ...json, miner }, [])).toThrow(
      /^a block cannot be put together .* and the node calls it 0x/,
    );
    const named = expect.objectContaining({ name: 'BlockNotRebuilt' });
    expect(() => rebuild({ ...json, miner }, [])).toThrow(named as unknown as Error);
  });

  test('is refused with another body than the header commits to, though the hash is right', async () => {
    const { json } = await oneOf({ transactions: [legacy(27), legacy(28)], withdrawals: [[1, 2, zeros(20), 4]] });
    const [first, second] = json['transactions'] as unknown[];
    for (const changed of [
      { transactions: [second, first] },
      { transactions: [first] },
      { withdrawals: [] },
      { withdrawals: null },
    ]) {
      expect(() => rebuild({ ...json, ...changed }, [])).toThrow(/its (transactions|withdrawals)/);
    }
  });

  test.each<[string, Record<string, unknown>]>([
    ['a field that is missing', { stateRoot: undefined }],
    ['a field that is no hexadecimal', { gasUsed: '0xzz' }],
    ['half a byte', { extraData: '0x123' }],
    ['hashes in place of transactions', { transactions: [`0x${'0'.repeat(64)}`] }],
    ['no transactions', { transactions: undefined }],
    ['a type of transaction that is not known', { transactions: [{ type: '0x7e' }] }],
    ['a later field of the header without those before it', { blobGasUsed: '0x0' }],
    ['a hash that is none', { hash: '0x12' }],
  ])('is refused for %s', async (_, changed) => {
    const { json } = await oneOf({});
    const named = expect.objectContaining({ name: 'BlockNotRebuilt' });
    expect(() => rebuild({ ...json, ...changed }, [])).toThrow(named as unknown as Error);
  });

  test('is refused where there is no block at all', () => {
    const named = expect.objectContaining({ name: 'BlockNotRebuilt' });
    for (const nothing of [null, undefined, '0x', []])
      expect(() => rebuild(nothing, [])).toThrow(named as unknown as Error);
  });
});

describe('RLP that is written', () => {
  test('is as EthereumJS writes it, at every length at which its form changes', () => {
    for (const length of [0, 1, 2, 55, 56, 57, 255, 256, 65_535, 65_536]) {
      for (const fill of [0, 0x7f, 0x80]) {
        const item: RlpItem = [zeros(length, fill), [], [[zeros(1, fill)]]];
        expect(Buffer.from(encodeRlp(item)).equals(RLP.encode(item as Input))).toBe(true);
      }
    }
  });
});

describeWithRecordings('recorded chains', () => {
  test.each(RECORDED_CHAINS)('every block of $file comes back from its JSON', async ({ file, first, last }) => {
    const blocks: Uint8Array[] = [];
    const cutter = blockCutter((bytes, at, end) => blocks.push(bytes.slice(at, end)));
    cutter.push(readFileSync(recorded(file)));
    cutter.end();
    expect(blocks).toHaveLength(last - first + 1);
    for (const { bytes, json, ommers } of await shownOf(blocks)) {
      expect(Buffer.from(rebuild(json, ommers)).equals(bytes)).toBe(true);
    }
  });
});
