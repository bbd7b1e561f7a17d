import { RLP } from '@ethereumjs/rlp';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Keccak, keccak256 } from '../../../protocols/ethereum/keccak.ts';
import {
  ibft2Seal,
  ibftSeal,
  plainSeal,
  qbftSeal,
  type Seal,
  type ToyBlock,
  type ToyChain,
  toyChain,
  toyTransactions,
} from '../../support/chain-writer.ts';
import { verifyBytes } from '../../support/verify-blocks.ts';

const ommer = RLP.decode(RLP.encode([1, 2, 3]));
/** Every form that a block has: no body, transactions of each form, ommers, withdrawals, later fields. */
const BLOCKS: readonly ToyBlock[] = [
  {},
  { transactions: toyTransactions(5) },
  { ommers: [ommer] },
  { transactions: toyTransactions(40), withdrawals: [[1, 2, new Uint8Array(20), 3]] },
  { withdrawals: [], fields: [1, 2, new Uint8Array(32), new Uint8Array(32)] },
  { transactions: toyTransactions(1) },
];

let keccak: Keccak;
let chain: ToyChain;
let file: Buffer;
beforeAll(async () => {
  keccak = await keccak256();
  chain = await toyChain(BLOCKS);
  file = Buffer.concat(chain.blocks);
});

const verify = (...parts: Uint8Array[]) => verifyBytes(Buffer.concat(parts), keccak);
const without = (...left: number[]) => chain.blocks.filter((_, at) => !left.includes(at));
const startOf = (block: number) => chain.blocks.slice(0, block).reduce((sum, { length }) => sum + length, 0);

describe('a file of blocks', () => {
  test('is proven, and told by its ends', () => {
    expect(verify(file)).toMatchObject({
      ...{ blocks: 6, transactions: 46, rules: { keccak: 6 }, unchecked: 0, problems: [] },
      first: { number: 0, hash: chain.hashes[0], parentHash: `0x${'00'.repeat(32)}` },
      last: { number: 5, hash: chain.hashes[5] },
    });
  });

  test('is the same however its stream is cut', () => {
    const whole = verify(file);
    for (const piece of [1, 2, 7, 600, 4096]) expect(verifyBytes(file, keccak, 'auto', piece)).toEqual(whole);
  });

  test.each([
    ['in its middle', (at: number) => startOf(3) + at],
    ['in its last block', (at: number) => startOf(5) + at],
  ])('that is cut %s is damaged, and the byte is told where that block begins', (_where, cutAt) => {
    for (const at of [1, 2, 3, 100]) {
      const { problems, last } = verify(file.subarray(0, cutAt(at)));
      const text = expect.stringMatching(new RegExp(`^byte ${cutAt(0)}: the file is cut inside a block`)) as unknown;
      expect(problems).toEqual([{ error: 'ChainFileDamaged', text }]);
      expect(last).toMatchObject({ number: cutAt(0) === startOf(3) ? 2 : 4 });
    }
  });

  test('whose middle block is missing is broken at the next one', () => {
    expect(verify(...without(3)).problems).toEqual([
      { error: 'ChainBroken', text: 'block 4 follows block 2', block: 4, offset: startOf(3) },
    ]);
  });

  test('whose blocks are swapped is broken at each of them', () => {
    const [a, b, c, d, e, f] = chain.blocks as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const { problems } = verify(a, b, d, c, e, f);
    expect(problems.map(({ error, block }) => [error, block])).toEqual([
      ['ChainBroken', 3],
      ['ChainBroken', 2],
      ['ChainBroken', 4],
    ]);
  });

  test('with a block of another chain between is broken there and behind it', async () => {
    const other = await toyChain(BLOCKS.map((block, at) => (at === 1 ? { ...block, fields: [9] } : block)));
    const { problems } = verify(...chain.blocks.map((block, at) => (at === 3 ? (other.blocks[3] ?? block) : block)));
    expect(problems).toEqual([
      {
        error: 'ChainBroken',
        text: expect.stringMatching(/its parent is 0x\w+; block 2 before it is 0x/),
        block: 3,
        offset: startOf(3),
      },
      { error: 'ChainBroken', text: expect.any(String), block: 4, offset: startOf(4) },
    ]);
  });

  test.each([
    ['garbage that is no list', Uint8Array.of(1, 2, 3)],
    ['zeros', new Uint8Array(1000)],
    ['a list that is no block', Uint8Array.of(0xc1, 0x01)],
    ['a head that claims more than any block has', Uint8Array.of(0xfb, 0xff, 0xff, 0xff, 0xff)],
    ['a head that claims more than a file can hold', Uint8Array.of(0xff, 1, 1, 1, 1, 1, 1, 1, 1)],
    ['half a head', Uint8Array.of(0xf9, 0x01)],
  ])('followed by %s is damaged there', (_what, garbage) => {
    const { problems } = verify(file, garbage);
    expect(problems).toHaveLength(1);
    expect(JSON.stringify(problems)).toContain(String(file.length));
  });

  test.each([
    ['transactions root', 1, 'toy transaction', (block: Uint8Array) => block.length - 30],
    ['ommers hash', 2, 'ommer', (block: Uint8Array) => block.length - 2],
    ['withdrawals root', 3, 'withdrawal', (block: Uint8Array) => block.length - 5],
  ])('is damaged in its %s if one bit of block %i’s %s is flipped', (what, number, _item, at) => {
    const { problems } = verify(flip(file, startOf(number) + at(chain.blocks[number] ?? file), 0));
    const text = expect.stringMatching(new RegExp(`^its ${what} is 0x\\w+, its header says 0x`)) as unknown;
    expect(problems).toEqual([{ error: 'BlockDamaged', text, block: number, offset: startOf(number) }]);
  });

  test('whose block lacks the withdrawals that its header commits to is damaged', () => {
    const [header, ...body] = RLP.decode(chain.blocks[3] ?? file) as Uint8Array[];
    const short = RLP.encode([header ?? [], ...body.slice(0, 2)]);
    expect(verify(short).problems).toEqual([
      { error: 'BlockDamaged', text: 'its withdrawals are missing', block: 3, offset: 0 },
    ]);
  });

  test('keeps items of blocks that nobody knows yet, and says how many were not checked', async () => {
    const { blocks } = await toyChain([{}, { withdrawals: [], more: [[1, 2], Uint8Array.of(3)] }]);
    expect(verify(...blocks)).toMatchObject({ blocks: 2, unchecked: 2, problems: [] });
  });

  test('of another chain altogether lists its first problems and counts the others', () => {
    const { problems, moreProblems } = verify(...Array.from({ length: 30 }, () => chain.blocks[1] ?? file));
    expect([problems.length, moreProblems]).toEqual([16, 13]);
  });
});

const SEALS: readonly (readonly [string, (n: number) => Seal])[] = [
  ['ibft', () => ibftSeal()],
  ['qbft', (n) => qbftSeal(n % 2 === 0 ? undefined : Uint8Array.of(n))],
  ['ibft2', () => ibft2Seal()],
];

describe('a chain of the Istanbul family', () => {
  test.each(SEALS)('of %s is proven by the rule that its headers tell', async (rule, seal) => {
    const { blocks, hashes } = await toyChain(
      BLOCKS.map((block, n) => ({ ...block, ...(n > 0 && { seal: seal(n) }) })),
    );
    const { problems, rules, last } = verify(...blocks);
    expect({ problems, rules, hash: last?.hash }).toEqual({
      problems: [],
      rules: { keccak: 1, [rule]: 5 },
      hash: hashes[5],
    });
  });

  test('may change its rule from block to block', async () => {
    const seals = [undefined, ibftSeal(), ibftSeal(), qbftSeal(), ibft2Seal(), undefined];
    const blocks = BLOCKS.map((block, at) => ({ ...block, ...(seals[at] && { seal: seals[at] }) }));
    const { problems, rules } = verify(...(await toyChain(blocks)).blocks);
    expect({ problems, rules }).toEqual({ problems: [], rules: { keccak: 2, ibft: 2, qbft: 1, ibft2: 1 } });
  });

  test('may have a genesis that is hashed as it lies, or without its seals', async () => {
    const sealed = qbftSeal();
    for (const genesis of [sealed, { ...sealed, hashed: sealed.extra }]) {
      const { blocks, hashes } = await toyChain([{ seal: genesis }, { seal: qbftSeal() }]);
      expect(verify(...blocks)).toMatchObject({ problems: [], first: { hash: hashes[0] } });
    }
  });

  test('is one with a round of four bytes in QBFT, if the next block says so', async () => {
    const { blocks } = await toyChain([{}, { seal: qbftSeal(Uint8Array.of(1, 0, 0, 0)) }, { seal: qbftSeal() }]);
    expect(verify(...blocks)).toMatchObject({ problems: [], rules: { keccak: 1, qbft: 2 } });
  });

  test('is unknown, neither proven nor broken, where its extra data is of no form that is known', async () => {
    const strange = { ...qbftSeal(), extra: RLP.encode([new Uint8Array(32), [], [], 1, [], 6]) };
    const { blocks } = await toyChain([{}, { seal: strange }, {}]);
    expect(verify(...blocks).problems).toMatchObject([{ error: 'HashRuleUnclear', block: 2 }]);
    const trailing = { ...ibftSeal(), extra: Buffer.concat([ibftSeal().extra, Uint8Array.of(1, 2, 3)]) };
    // GoQuorum hashes such a header as it lies; then the next block says so.
    const plain = await toyChain([{}, { seal: { ...trailing, hashed: trailing.extra } }, {}]);
    expect(verify(...plain.blocks).problems).toEqual([]);
  });
});

describe('one flipped bit', () => {
  /** The bytes of a file that no hash commits to: what a block's rule drops, and the last header, which nobody names. */
  function looseBytes(blocks: readonly Uint8Array[], seals: readonly (Seal | undefined)[]): (at: number) => boolean {
    const ranges: [number, number][] = [];
    let start = 0;
    for (const [n, block] of blocks.entries()) {
      const { extra, loose } = seals[n] ?? plainSeal();
      const end = start + Buffer.from(block).indexOf(extra) + extra.length;
      ranges.push(n === blocks.length - 1 ? [start, start + block.length] : [end - loose, end]);
      start += block.length;
    }
    return (at) => ranges.some(([from, to]) => at >= from && at < to);
  }

  test.each([['keccak', undefined] as const, ...SEALS])(
    'anywhere in a chain of %s, but for round and seals and the last header, is found',
    async (_rule, seal) => {
      const seals = BLOCKS.map((_, n) => (n === 0 ? undefined : seal?.(n)));
      const { blocks } = await toyChain(BLOCKS.map((block, n) => ({ ...block, ...(seals[n] && { seal: seals[n] }) })));
      const bytes = Buffer.concat(blocks);
      const isLoose = looseBytes(blocks, seals);
      const committed = fc.nat(bytes.length - 1).filter((at) => !isLoose(at));
      fc.assert(
        fc.property(committed, fc.nat(7), (at, bit) => {
          expect(verifyBytes(flip(bytes, at, bit), keccak).problems).not.toEqual([]);
        }),
        { numRuns: 1500 },
      );
    },
  );

  // Its list would be hashed as the string that it was.
  test('that makes extra data a list is found', async () => {
    const seal = ibftSeal();
    const { blocks } = await toyChain([{}, { seal }, { seal }]);
    const at = (blocks[0]?.length ?? 0) + Buffer.from(blocks[1] ?? file).indexOf(seal.extra) - 3;
    const { problems } = verifyBytes(flip(Buffer.concat(blocks), at, 6), keccak);
    expect(problems).toMatchObject([{ error: 'BlockDamaged', text: 'field 13 of its header is a list', block: 1 }]);
  });

  test('within a committed seal is not: each validator has others', async () => {
    const seal = qbftSeal();
    const { blocks } = await toyChain([{}, { seal }, { seal }]);
    const at = (blocks[0]?.length ?? 0) + Buffer.from(blocks[1] ?? file).indexOf(seal.extra) + seal.extra.length - 10;
    expect(verifyBytes(flip(Buffer.concat(blocks), at, 3), keccak).problems).toEqual([]);
  });

  test('in the last header is found by the hash that is expected of it, and by nothing in the file', () => {
    const stateRoot = startOf(5) + 100;
    const flipped = verifyBytes(flip(file, stateRoot, 0), keccak);
    expect(flipped.problems).toEqual([]);
    expect(flipped.last?.hash).not.toBe(chain.hashes[5]);
  });
});

function flip(bytes: Uint8Array, at: number, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
  return flipped;
}
