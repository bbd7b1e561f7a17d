import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keccak as theirs } from 'hash-wasm';
import { hex, type Keccak, keccak256 } from '../../../protocols/ethereum/keccak.ts';
import { BLOCK_BYTES, INPUT_BYTES, roundConstants } from '../../../protocols/ethereum/keccak-module.ts';

let keccak: Keccak;
beforeAll(async () => {
  keccak = await keccak256();
});

/** Lengths at which something is padded, absorbed or held back otherwise than before, and any other. */
const length = fc.oneof(
  fc.nat(1000),
  fc
    .constantFrom(BLOCK_BYTES, 2 * BLOCK_BYTES, INPUT_BYTES, 2 * INPUT_BYTES)
    .chain((at) => fc.integer({ min: at - 1, max: at + 1 })),
);
const message = length.chain((size) => fc.uint8Array({ minLength: size, maxLength: size, size: 'max' }));

describe('Keccak-256', () => {
  test.each([
    ['', '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
    ['abc', '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ])('of "%s" is as published', (text, digest) => {
    expect(hex(keccak(Buffer.from(text)))).toBe(digest);
  });

  test('of anything, in one part or two, is what hash-wasm says', async () => {
    await fc.assert(
      fc.asyncProperty(message, message, async (first, second) => {
        expect(hex(keccak(first))).toBe(`0x${await theirs(first, 256)}`);
        expect(hex(keccak(first, second))).toBe(`0x${await theirs(Buffer.concat([first, second]), 256)}`);
      }),
      { numRuns: 60 },
    );
  });

  test('gives answers that later calls leave alone', () => {
    const first = keccak(Uint8Array.of(1));
    const copy = Uint8Array.from(first);
    keccak(Uint8Array.of(2));
    expect(first).toEqual(copy);
  });

  test('has the constants of the standard, first and last', () => {
    const constants = roundConstants();
    expect([constants[0], constants[1], constants[23]]).toEqual([1n, 0x8082n, 0x8000000080008008n]);
  });
});
