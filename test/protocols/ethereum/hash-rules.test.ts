import { type Input, RLP } from '@ethereumjs/rlp';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { blockHash } from '../../../protocols/ethereum/block-hash.ts';
import { BlockDamaged } from '../../../protocols/ethereum/errors.ts';
import { type HashRule, rulesOf } from '../../../protocols/ethereum/hash-rules.ts';
import { hex, type Keccak, keccak256 } from '../../../protocols/ethereum/keccak.ts';
import { newLayout, readHeader } from '../../../protocols/ethereum/layout.ts';

let keccak: Keccak;
beforeAll(async () => {
  keccak = await keccak256();
});

const bytes = (hexadecimal: string): Uint8Array => Buffer.from(hexadecimal, 'hex');
const zeros = (length: number): Uint8Array => new Uint8Array(length);
const MIX = bytes('63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365');

/** A header that is empty but for what is given. */
function header({
  number = 0,
  mix = MIX,
  extra,
}: {
  number?: number;
  mix?: Uint8Array;
  extra: Uint8Array;
}): Uint8Array {
  const fields: Input[] = [
    ...[zeros(32), zeros(32), zeros(20), zeros(32), zeros(32), zeros(32), zeros(256), 0, number],
    ...[0, 0, 0, extra, mix, zeros(8)],
  ];
  return RLP.encode(fields);
}

function hashBy(encoded: Uint8Array, rule?: HashRule): string {
  const layout = newLayout();
  readHeader(encoded, 0, encoded.length, layout);
  return hex(blockHash(encoded, layout, rule ?? rulesOf(encoded, layout, 'auto')[0] ?? 'keccak', keccak));
}

function rules(encoded: Uint8Array): readonly HashRule[] {
  const layout = newLayout();
  readHeader(encoded, 0, encoded.length, layout);
  return rulesOf(encoded, layout, 'auto');
}

describe('the hash of a legacy IBFT header', () => {
  // The header and the hash of GoQuorum’s own `TestHeaderHash` (core/types/block_test.go).
  const extra = (seals: string) =>
    bytes(
      `${'00'.repeat(32)}${seals === 'c0' ? 'f89a' : 'f8de'}f8549444add0ec310f115a0e603b2d7db9f067778eaf8a94294fc7e8f22b3bcdcf955dd7ff3ba2ed833f8212946beaaed781d2d2ab6350f5c4566a2c6eaac407a6948be76812f765c24641ec63dc2852b378aba2b440b841${'00'.repeat(65)}${seals}`,
    );
  const EXPECTED = '0xcefefd3ade63a5955bca4562ed840b67f39e74df217f7e5f7241a6e9552cca70';

  test('is the one that GoQuorum’s test expects', () => {
    expect(hashBy(header({ extra: extra('c0') }), 'ibft')).toBe(EXPECTED);
  });

  test('is the same with committed seals', () => {
    expect(hashBy(header({ extra: extra(`f843b841${'07'.repeat(65)}`) }), 'ibft')).toBe(EXPECTED);
  });

  test('is that of the bytes as they lie if anything follows the list, as in GoQuorum', () => {
    const trailing = header({ extra: Buffer.concat([extra('c0'), Uint8Array.of(1, 2, 3)]) });
    expect(rules(trailing)).toEqual(['keccak']);
    expect(() => hashBy(trailing, 'ibft')).toThrow(BlockDamaged);
  });
});

describe('the hash of a BFT header', () => {
  // What is written here follows Besu’s `IbftExtraDataCodec` and `QbftExtraDataCodec`; there are no vectors of theirs.
  const kept: Input[] = [
    Uint8Array.from({ length: 32 }, (_, n) => n),
    [zeros(20), zeros(20)],
    [zeros(20), bytes('ff')],
  ];
  const seals: Input[] = [zeros(65), zeros(65)];
  const plain = (extra: Input[]) => hashBy(header({ number: 1, extra: RLP.encode(extra) }), 'keccak');

  test('of IBFT 2 leaves round and seals out', () => {
    const encoded = header({ number: 1, extra: RLP.encode([...kept, bytes('00fedcba'), seals]) });
    expect(rules(encoded)).toEqual(['ibft2', 'qbft', 'keccak']);
    expect(hashBy(encoded)).toBe(plain(kept));
  });

  test('of QBFT has round 0 and no seals', () => {
    const encoded = header({ number: 1, extra: RLP.encode([...kept, bytes('fedcba'), seals]) });
    expect(rules(encoded)).toEqual(['qbft', 'ibft2', 'keccak']);
    expect(hashBy(encoded)).toBe(plain([...kept, Uint8Array.of(), []]));
  });

  test('of a genesis is tried as it lies first', () => {
    expect(rules(header({ extra: RLP.encode([...kept, zeros(4), []]) }))).toEqual(['keccak', 'ibft2', 'qbft']);
  });

  test.each([
    ['no list', bytes('00')],
    ['nothing', bytes('')],
    ['a list of six', RLP.encode([...kept, 1, seals, 1])],
    ['a list of five with a string for the seals', RLP.encode([...kept, 1, zeros(3)])],
    ['a list that is longer than it', bytes('c501')],
  ])('is that of the header as it lies if extra data is %s', (_what, extra) => {
    const encoded = header({ number: 1, extra });
    expect(rules(encoded)).toEqual(['keccak']);
    expect(hashBy(encoded)).toBe(hex(keccak(encoded)));
  });

  test('is not asked for without the family’s mix hash', () => {
    expect(rules(header({ number: 1, mix: zeros(32), extra: RLP.encode([...kept, 1, seals]) }))).toEqual(['keccak']);
  });
});
