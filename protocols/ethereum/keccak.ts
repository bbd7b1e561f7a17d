import { createKeccak } from 'hash-wasm';

/** Keccak-256 of its arguments, one after the other. The answer is the caller's. */
export type Keccak = (first: Uint8Array, second?: Uint8Array) => Uint8Array;

/** One state that is used again and again: each call is whole, and a thread does one at a time. */
export async function keccak256(): Promise<Keccak> {
  const hasher = await createKeccak(256);
  return (first, second) => {
    hasher.init().update(first);
    if (second !== undefined) hasher.update(second);
    return hasher.digest('binary');
  };
}

export const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

/** Are the 32 bytes of `a` at `at` those of `b`? */
export function sameHash(a: Uint8Array, at: number, b: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (a[at + i] !== b[i]) return false;
  return true;
}
