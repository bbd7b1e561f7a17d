import { type Input, RLP } from '@ethereumjs/rlp';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BlockDamaged } from '../../../protocols/ethereum/errors.ts';
import { type Keccak, keccak256 } from '../../../protocols/ethereum/keccak.ts';
import { indexAt, keyNibble, keyNibbles } from '../../../protocols/ethereum/list-keys.ts';
import { type ListRoot, listRoot } from '../../../protocols/ethereum/list-root.ts';
import { listItems } from '../../../protocols/ethereum/rlp.ts';
import { listRootOf } from '../../support/chain-writer.ts';

let keccak: Keccak;
let rootOf: ListRoot;
beforeAll(async () => {
  keccak = await keccak256();
  rootOf = listRoot(keccak);
});

function ourRoot(items: readonly Input[]): Uint8Array {
  const list = RLP.encode([...items]);
  const into: number[] = [];
  return rootOf(list, into, listItems(list, 0, list.length, into));
}

/** Some so small that a leaf stands within its branch, some larger than a leaf is put together for. */
const one = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 4 }),
  fc.uint8Array({ minLength: 4000, maxLength: 4400 }),
  fc.array(fc.uint8Array({ minLength: 2000, maxLength: 2200 }), { minLength: 2, maxLength: 3 }),
);

describe('the root of a list', () => {
  test('is what EthereumJS’s trie says, for items of any size', async () => {
    const items = fc.array(one, { maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(items, async (list) => expect(ourRoot(list)).toEqual(await listRootOf(list))),
      { numRuns: 60 },
    );
  });

  test.each([0, 1, 2, 16, 17, 127, 128, 129, 255, 256, 257, 300, 4200])('is so for %i items', async (count) => {
    const list = Array.from({ length: count }, (_, n) => Uint8Array.of(2, n & 255, n >> 8, 1, 2, 3, 4));
    expect(Buffer.from(ourRoot(list))).toEqual(Buffer.from(await listRootOf(list)));
  });

  test('does not stand for an empty item', () => {
    expect(() => ourRoot([Uint8Array.of()])).toThrow(BlockDamaged);
  });
});

describe('the keys of a list', () => {
  const key = (index: number) =>
    Buffer.from(
      Array.from(
        { length: keyNibbles(index) / 2 },
        (_, at) => keyNibble(index, 2 * at) * 16 + keyNibble(index, 2 * at + 1),
      ),
    );

  test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 16_777_215, 16_777_216])('are the RLP of %i', (index) => {
    expect(key(index)).toEqual(Buffer.from(RLP.encode(index)));
  });

  test('ascend with their position, and none is left out', () => {
    for (const count of [1, 2, 127, 128, 129, 300]) {
      const order = Array.from({ length: count }, (_, position) => indexAt(position, count));
      expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
      expect(order.map(key).toSorted(Buffer.compare)).toEqual(order.map(key));
    }
  });
});
