import { RlpInvalid } from './errors.ts';

/*
 * RLP as the yellow paper's appendix B has it, read where it lies: an item is the offset of its first byte, and nothing
 * is copied or built. Strict: each item has one encoding, and any other is refused. Nothing recurses: a caller goes
 * down only as deep as the form that it expects.
 */

/** Lengths are read up to this many bytes: 256 TiB, and exact in a number. */
const MOST_LENGTH_BYTES = 6;

export const isList = (bytes: Uint8Array, at: number): boolean => (bytes[at] ?? 0) >= 0xc0;

/** How many bytes of length follow an item's first byte. */
const lengthBytes = (first: number): number =>
  first >= 0xf8 ? first - 0xf7 : first >= 0xb8 && first < 0xc0 ? first - 0xb7 : 0;

/** Where the contents of the item at `at` begin; those of a single byte are itself. */
export function payloadAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  return first < 0x80 ? at : at + 1 + lengthBytes(first);
}

/** Where the item at `at` ends. Throws `RlpInvalid` if that is behind `limit`, or if it has a shorter encoding. */
export function itemEnd(bytes: Uint8Array, at: number, limit: number): number {
  if (at >= limit) throw new RlpInvalid(at, 'an item is missing');
  const first = bytes[at] ?? 0;
  if (first < 0x80) return at + 1;
  const end = at + (itemLength(bytes, at, limit) ?? limit + 1);
  if (end > limit) throw new RlpInvalid(at, `an item reaches ${end - limit} bytes behind the end of what holds it`);
  if (first === 0x81 && (bytes[at + 1] ?? 0) < 0x80) throw new RlpInvalid(at, 'a single byte is written as two');
  return end;
}

/** The length of the item at `at`, its head included; undefined if `limit` cuts its head. */
export function itemLength(bytes: Uint8Array, at: number, limit: number): number | undefined {
  if (at >= limit) return undefined;
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xb8) return first - 0x7f;
  if (first >= 0xc0 && first < 0xf8) return first - 0xbf;
  return longLength(bytes, at, limit, lengthBytes(first));
}

function longLength(bytes: Uint8Array, at: number, limit: number, count: number): number | undefined {
  if (count > MOST_LENGTH_BYTES) throw new RlpInvalid(at, `an item’s length takes ${count} bytes`);
  if (at + count >= limit) return undefined;
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + (bytes[at + i] ?? 0);
  if (bytes[at + 1] === 0 || length < 56) throw new RlpInvalid(at, 'a length is longer than it needs to be');
  return 1 + count + length;
}

/** Writes where each item of the list at `at` begins, and last where the list ends; returns how many items there are. */
export function listItems(bytes: Uint8Array, at: number, limit: number, into: number[]): number {
  const end = itemEnd(bytes, at, limit);
  if (!isList(bytes, at)) throw new RlpInvalid(at, 'a string stands where a list must');
  let count = 0;
  let next = payloadAt(bytes, at);
  while (next < end) {
    into[count] = next;
    count += 1;
    next = itemEnd(bytes, next, end);
  }
  into[count] = end;
  return count;
}

/** A whole number without leading zeros, up to 2^53 − 1. */
export function integerAt(bytes: Uint8Array, at: number, end: number): number {
  const from = payloadAt(bytes, at);
  if (isList(bytes, at) || end - from > 7 || bytes[from] === 0) throw new RlpInvalid(at, 'not a number as blocks have');
  let value = 0;
  for (let i = from; i < end; i++) value = value * 256 + (bytes[i] ?? 0);
  if (!Number.isSafeInteger(value)) throw new RlpInvalid(at, 'a number of more than 53 bits');
  return value;
}

/** The head of a string (`base` 0x80) or list (0xc0) of `length` bytes of contents; returns where the contents begin. */
export function writeHead(into: Uint8Array, at: number, base: 0x80 | 0xc0, length: number): number {
  if (length < 56) {
    into[at] = base + length;
    return at + 1;
  }
  const count = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4;
  into[at] = base + 55 + count;
  for (let i = 0; i < count; i++) into[at + count - i] = Math.floor(length / 256 ** i) & 0xff;
  return at + 1 + count;
}

/** How long that head is. */
export const headLength = (length: number): number =>
  length < 56 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : length < 0x100_0000 ? 4 : 5;
