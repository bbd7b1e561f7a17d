import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { manifestKey, manifestsPrefix, signatureKey } from '../../vault/layout.ts';
import { newestNumber } from '../../vault/numbered.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';

const numbered = { prefix: manifestsPrefix('n'), keyOf: (n: number) => manifestKey('n', n) };

function filled(numbers: readonly number[]) {
  const vault = new MemoryVault();
  for (const n of numbers) vault.objects.set(manifestKey('n', n), new Uint8Array());
  // A crash left a signature behind the newest.
  vault.objects.set(
    signatureKey(manifestKey('n', Math.min(Math.max(0, ...numbers) + 1, 99_999_999)), 'a'.repeat(64)),
    new Uint8Array(),
  );
  let listings = 0;
  const { list } = vault;
  vault.list = (...asked) => {
    listings += 1;
    return list.apply(vault, asked);
  };
  return { vault, listings: () => listings };
}

test('the newest of any numbers is found, wherever one was seen before and whatever is missing', async () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 3000 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(numbers, fc.integer({ min: 0, max: 3100 }), async (some, near) => {
      expect(await newestNumber(filled(some).vault, numbered, near)).toBe(Math.max(0, ...some));
    }),
    { numRuns: 200 },
  );
});

test('the highest numbers that a key can have are found, too, and end the search', async () => {
  for (const some of [[99_999_999], [1, 90_000_000], [7, 99_999_998, 99_999_999]]) {
    expect(await newestNumber(filled(some).vault, numbered)).toBe(Math.max(...some));
  }
});

test('it takes two listings from where it was seen before, and few for a chain of ten years', async () => {
  const { vault, listings } = filled([1, 500, 21_899, 21_900]);
  await newestNumber(vault, numbered);
  expect(listings()).toBeLessThanOrEqual(16);
  const before = listings();
  await newestNumber(vault, numbered, 21_899);
  expect(listings() - before).toBe(2);
});
