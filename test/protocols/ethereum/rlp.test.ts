import { type Input, RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RlpInvalid } from '../../../protocols/ethereum/errors.ts';
import { integerAt, itemEnd, itemLength, listItems, payloadAt, writeHead } from '../../../protocols/ethereum/rlp.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex');
const { item } = fc.letrec<{ item: Input }>((tie) => ({
  item: fc.oneof({ maxDepth: 3 }, fc.uint8Array({ maxLength: 300 }), fc.array(tie('item'), { maxLength: 5 })),
}));

describe('an item of RLP', () => {
  test('ends where another encoder ended it, and its contents begin where they do', () => {
    fc.assert(
      fc.property(item, fc.uint8Array({ maxLength: 3 }), (value, after) => {
        const encoded = RLP.encode(value);
        const within = Buffer.concat([encoded, after]);
        expect(itemEnd(within, 0, within.length)).toBe(encoded.length);
        expect(itemLength(within, 0, within.length)).toBe(encoded.length);
        if (value instanceof Uint8Array) expect(encoded.subarray(payloadAt(encoded, 0))).toEqual(value);
      }),
    );
  });

  test('that is cut anywhere is refused, and its length is not told before its head is there', () => {
    fc.assert(
      fc.property(item, fc.nat(), (value, at) => {
        const encoded = RLP.encode(value);
        const cut = at % encoded.length;
        expect(() => itemEnd(encoded, 0, cut)).toThrow(RlpInvalid);
        expect([undefined, encoded.length]).toContain(itemLength(encoded, 0, cut));
      }),
    );
  });

  test.each([
    ['a small byte written as two', '8105'],
    ['a long form for 55 bytes', `b837${'00'.repeat(55)}`],
    ['a length with a leading zero', `b90038${'00'.repeat(56)}`],
    ['a list’s long form for a short one', `f803${'010203'}`],
    ['a length of eight bytes', `bf${'ff'.repeat(8)}00`],
    ['nothing', ''],
  ])('is refused if it is %s', (_what, hex) => {
    expect(() => itemEnd(bytes(hex), 0, hex.length / 2)).toThrow(RlpInvalid);
  });
});

describe('a list', () => {
  test('tells where its items begin', () => {
    const into: number[] = [];
    const list = RLP.encode([Uint8Array.of(1), new Uint8Array(60), [Uint8Array.of(2)]]);
    expect(listItems(list, 0, list.length, into)).toBe(3);
    expect(into.slice(0, 4)).toEqual([2, 3, 65, 67]);
  });

  test.each([
    ['a string', '83010203'],
    ['a list whose last item is longer than itself', 'c28301'],
  ])('is not %s', (_what, hex) => {
    expect(() => listItems(bytes(hex), 0, hex.length / 2, [])).toThrow(RlpInvalid);
  });

  // What recurses would end in a stack overflow.
  test('may be nested a million deep in an item that is only passed over', () => {
    let [depth, length] = [0, 0];
    const deep = Buffer.alloc(5_000_000, 0xc0);
    let at = deep.length;
    for (; depth < 1_000_000; depth++) {
      const head = new Uint8Array(5);
      const size = writeHead(head, 0, 0xc0, length);
      at -= size;
      deep.set(head.subarray(0, size), at);
      length += size;
    }
    expect(itemEnd(deep, at, deep.length)).toBe(at + length);
  });
});

describe('a number', () => {
  test.each([
    ['00', undefined],
    ['820001', undefined],
    ['c101', undefined],
    ['8720000000000000', undefined],
    ['881000000000000000', undefined],
    ['80', 0],
    ['7f', 127],
    ['820400', 1024],
    ['871fffffffffffff', Number.MAX_SAFE_INTEGER],
  ])('%s is %s', (hex, value) => {
    const read = () => integerAt(bytes(hex), 0, hex.length / 2);
    if (value === undefined) expect(read).toThrow(RlpInvalid);
    else expect(read()).toBe(value);
  });
});
