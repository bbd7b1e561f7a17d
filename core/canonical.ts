import canonicalize from 'canonicalize';
import type { Sha256 } from './names.ts';

/** SHA-256 of bytes; an argument everywhere, since `core` has no crypto of its own. */
export type Digest = (bytes: Uint8Array) => Sha256;

/** The one byte form of a JSON value: RFC 8785 (JSON Canonicalization Scheme) in UTF-8, no trailing newline. */
export function canonicalBytes(value: unknown): Uint8Array {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a value without a JSON form cannot be canonicalized');
  return new TextEncoder().encode(text);
}
