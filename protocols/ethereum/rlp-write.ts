import { headLength, writeHead } from './rlp.ts';

/** A string of bytes, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** The RLP of an item. Goes as deep as the item does: not for nesting that somebody else chose. */
export function encodeRlp(item: RlpItem): Uint8Array {
  const bytes = new Uint8Array(encodedLength(item));
  write(item, bytes, 0);
  return bytes;
}

const isBytes = (item: RlpItem): item is Uint8Array => item instanceof Uint8Array;

const contentsLength = (item: RlpItem): number =>
  isBytes(item) ? item.length : item.reduce((sum, one) => sum + encodedLength(one), 0);

/** A single byte below 0x80 stands for itself. */
const isItself = (item: RlpItem): boolean => isBytes(item) && item.length === 1 && (item[0] ?? 0) < 0x80;

function encodedLength(item: RlpItem): number {
  if (isItself(item)) return 1;
  const length = contentsLength(item);
  return headLength(length) + length;
}

function write(item: RlpItem, into: Uint8Array, at: number): number {
  if (isBytes(item)) {
    const from = isItself(item) ? at : writeHead(into, at, 0x80, item.length);
    into.set(item, from);
    return from + item.length;
  }
  return item.reduce<number>((next, one) => write(one, into, next), writeHead(into, at, 0xc0, contentsLength(item)));
}
