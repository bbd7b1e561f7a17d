import { HIGHEST } from '../core/names.ts';
import type { Vault } from '../core/vault.ts';
import { numberOf } from './layout.ts';

/** Documents that are numbered from 1 under one prefix, such as a node's manifests. */
export interface Numbered {
  readonly prefix: string;
  readonly keyOf: (n: number) => string;
}

/** A page of a listing holds 1,000 keys: so many documents with their signatures, and a few strays, surely fit in one. */
const A_PAGE = 256;

/**
 * The newest number, 0 if there is none, in few listings however long the sequence. `near` is where it was seen before:
 * from there one listing is enough.
 */
export async function newestNumber(vault: Vault, numbered: Numbered, near = 0): Promise<number> {
  const still = near > 0 && (await anyAfter(vault, numbered, near - 1));
  const low = still ? near - 1 : await aPageBefore(vault, numbered);
  let newest = low;
  for await (const { key } of vault.list(numbered.prefix, numbered.keyOf(low))) newest = numberOf(key) ?? newest;
  return newest;
}

/** Doubled until nothing follows, then halved: 8 listings for 2,000, 12 for 20,000. */
async function aPageBefore(vault: Vault, numbered: Numbered): Promise<number> {
  let [low, step] = [0, A_PAGE];
  // No key has more digits: one of a higher number would sort before those of eight, and never be passed.
  while (low + step < HIGHEST && (await anyAfter(vault, numbered, low + step))) {
    low += step;
    step *= 2;
  }
  for (let high = Math.min(low + step, HIGHEST); high - low > A_PAGE; ) {
    const middle = low + Math.floor((high - low) / 2);
    if (await anyAfter(vault, numbered, middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** A signature that a crash has left alone is no document. */
async function anyAfter(vault: Vault, { prefix, keyOf }: Numbered, n: number): Promise<boolean> {
  for await (const { key } of vault.list(prefix, keyOf(n))) if (numberOf(key) !== undefined) return true;
  return false;
}
