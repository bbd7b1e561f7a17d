import { beforeAll, describe, expect, test } from '@jest/globals';
import { type ExpectedRange, provenBlocks } from '../../../protocols/ethereum/export-range.ts';
import { keccak256 } from '../../../protocols/ethereum/keccak.ts';
import { type ToyChain, toyChain } from '../../support/chain-writer.ts';
import { branch } from '../../support/toy-network.ts';

let chain: ToyChain;
beforeAll(async () => {
  chain = await toyChain(branch(10, 1));
});

const other = `0x${'9'.repeat(64)}`;

/** Blocks 2 to 5, as they are expected where nothing else is said; resolves to their bytes. */
async function through(changes: Partial<ExpectedRange> = {}, blocks = chain.blocks.slice(2, 6)) {
  const { hashes } = chain;
  const expected = { start: 2, end: 5, parentHash: hashes[1], endHash: hashes[5] ?? '', ...changes };
  const { bytes, proven } = provenBlocks(each(blocks), expected, await keccak256());
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(Uint8Array.from(piece));
  return { bytes: Buffer.concat(pieces), proven: proven() };
}

async function* each(blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* blocks;
}

describe('a range of blocks', () => {
  test('goes through as it came, and both of its ends are told', async () => {
    const { bytes, proven } = await through();
    expect(bytes).toEqual(Buffer.concat(chain.blocks.slice(2, 6)));
    const { hashes } = chain;
    expect(proven.start).toEqual({ number: 2, hash: hashes[2], parentHash: hashes[1] });
    expect(proven.end).toEqual({ number: 5, hash: hashes[5], parentHash: hashes[4] });
  });

  test.each([
    ['that follows another block', { parentHash: other }, /block 2 follows .* and the block before it is 0x9999/],
    ['that ends with another block', { endHash: other }, /block 5 is .*; the network calls it 0x9999/],
    ['that begins later', { start: 1 }, /the first block is 2, not 1/],
    ['that ends earlier', { end: 6 }, /the last block is 5, not 6/],
  ])('%s than is known fails before its last byte', async (_, changes, message) => {
    await expect(through(changes)).rejects.toMatchObject({
      name: 'ChainBroken',
      message: expect.stringMatching(message),
    });
  });

  test('of which one is missing, or comes twice, fails with its number', async () => {
    const [two, three, four, five] = chain.blocks.slice(2, 6) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    for (const blocks of [[two, four, five], [two, three, three, four, five], [two, four, three, five], []]) {
      await expect(through({}, blocks)).rejects.toMatchObject({ name: 'ChainBroken' });
    }
  });
});
