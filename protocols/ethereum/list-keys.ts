/*
 * The keys of the items of a list in its trie: the RLP of their index, nibble by nibble. In the order of the trie they
 * are 1 to 127 (one byte each), 0 (0x80), 128 and on (0x81…, 0x82…): `position` counts in this order.
 */

/** Which item stands at a position among `count`. */
export function indexAt(position: number, count: number): number {
  const zero = Math.min(127, count - 1);
  return position < zero ? position + 1 : position === zero ? 0 : position;
}

export const keyNibbles = (index: number): number =>
  index < 0x80 ? 2 : index < 0x100 ? 4 : index < 0x1_0000 ? 6 : index < 0x100_0000 ? 8 : 10;

export function keyNibble(index: number, depth: number): number {
  const byte = keyByte(index, depth >> 1);
  return (depth & 1) === 0 ? byte >> 4 : byte & 15;
}

function keyByte(index: number, at: number): number {
  if (index === 0) return 0x80;
  if (index < 0x80) return index;
  const length = keyNibbles(index) / 2 - 1;
  return at === 0 ? 0x80 + length : (index >>> (8 * (length - at))) & 0xff;
}

/** How long a part of a key is, in RLP, as a node holds it (yellow paper, appendix C). */
export const pathLength = (nibbles: number): number => (nibbles < 2 ? 1 : 2 + (nibbles >> 1));

/** Writes the nibbles `from` to `to` of a key; `flag` is 0x20 in a leaf, else 0. Returns where they end. */
export function writePath(index: number, from: number, to: number, flag: number, into: Uint8Array, at: number): number {
  const nibbles = to - from;
  let next = at;
  if (nibbles >= 2) into[next++] = 0x81 + (nibbles >> 1);
  let depth = from;
  into[next++] = (nibbles & 1) === 1 ? flag + 0x10 + keyNibble(index, depth++) : flag;
  for (; depth < to; depth += 2) into[next++] = keyNibble(index, depth) * 16 + keyNibble(index, depth + 1);
  return next;
}
