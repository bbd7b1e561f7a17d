import { BlockDamaged } from './errors.ts';
import type { Keccak } from './keccak.ts';
import { indexAt, keyNibble, keyNibbles, pathLength, writePath } from './list-keys.ts';
import { headLength, isList, payloadAt, writeHead } from './rlp.ts';

/**
 * The root of the trie that a header commits to a list by (`derive_sha`): the key of each item is the RLP of its index,
 * its value the item; of a typed transaction, a string in the list, what that string holds. The keys are known in their
 * order, so that the trie is built from left to right and no node is ever changed.
 *
 * `items` are the offsets of `count` items, and of their end.
 */
export type ListRoot = (bytes: Uint8Array, items: readonly number[], count: number) => Uint8Array;

/** A leaf up to this long is put together before it is hashed: one call is quicker than two. */
const LEAF_BYTES = 4096;
/** Keys are at most five bytes: an index of 32 bits. */
const MOST_NIBBLES = 10;

export function listRoot(keccak: Keccak): ListRoot {
  const empty = keccak(Uint8Array.of(0x80));
  // A node at each depth, under construction; a branch has 16 references of 33 bytes, and a value.
  const nodes = Array.from({ length: MOST_NIBBLES + 2 }, () => new Uint8Array(LEAF_BYTES + 64));
  return (bytes, items, count) => {
    if (count === 0) return empty;
    const trie: Trie = { bytes, items, count, keccak, nodes };
    const out = nodeAt(trie, MOST_NIBBLES + 1);
    const length = writeNode(trie, 0, count, 0, out, 0);
    // A root is always hashed; a reference of 33 bytes is a hash already.
    return length === 33 && out[0] === 0xa0 ? out.slice(1, 33) : keccak(out.subarray(0, length));
  };
}

interface Trie {
  readonly bytes: Uint8Array;
  readonly items: readonly number[];
  readonly count: number;
  readonly keccak: Keccak;
  readonly nodes: readonly Uint8Array[];
}

const indexOf = ({ count }: Trie, position: number): number => indexAt(position, count);

const nodeAt = ({ nodes }: Trie, depth: number): Uint8Array => nodes[depth] ?? new Uint8Array(LEAF_BYTES + 64);

/** Writes the reference to the node of the keys `from` to `to` that differ at `depth` or behind it; returns its end. */
function writeNode(trie: Trie, from: number, to: number, depth: number, out: Uint8Array, at: number): number {
  if (to - from === 1) return writeLeaf(trie, from, depth, out, at);
  const shared = sharedNibbles(trie, from, to - 1, depth);
  if (shared > 0) return writeExtension(trie, from, to, depth, shared, out, at);
  const node = nodeAt(trie, depth);
  let end = 3;
  let first = from;
  for (let nibble = 0; nibble < 16; nibble++) {
    let next = first;
    while (next < to && keyNibble(indexOf(trie, next), depth) === nibble) next += 1;
    if (next === first) node[end++] = 0x80;
    else end = writeNode(trie, first, next, depth + 1, node, end);
    first = next;
  }
  node[end++] = 0x80;
  return writeReference(trie, node, end, out, at);
}

/** How many nibbles from `depth` on two keys have in common; those between them have them too. */
function sharedNibbles(trie: Trie, first: number, last: number, depth: number): number {
  const [a, b] = [indexOf(trie, first), indexOf(trie, last)];
  let shared = 0;
  while (keyNibble(a, depth + shared) === keyNibble(b, depth + shared)) shared += 1;
  return shared;
}

function writeExtension(
  trie: Trie,
  from: number,
  to: number,
  depth: number,
  shared: number,
  out: Uint8Array,
  at: number,
): number {
  const node = nodeAt(trie, depth);
  const pathEnd = writePath(indexOf(trie, from), depth, depth + shared, 0x00, node, 3);
  return writeReference(trie, node, writeNode(trie, from, to, depth + shared, node, pathEnd), out, at);
}

/** Contents stand in `node` from 3 on, so that any head fits before them. */
function writeReference({ keccak }: Trie, node: Uint8Array, end: number, out: Uint8Array, at: number): number {
  const length = end - 3;
  const start = 3 - headLength(length);
  writeHead(node, start, 0xc0, length);
  return putReference(keccak, node.subarray(start, end), undefined, out, at);
}

/** A node of less than 32 bytes stands for itself; of any other, its hash. */
function putReference(keccak: Keccak, node: Uint8Array, rest: Uint8Array | undefined, out: Uint8Array, at: number) {
  if (rest === undefined && node.length < 32) {
    out.set(node, at);
    return at + node.length;
  }
  out[at] = 0xa0;
  out.set(keccak(node, rest), at + 1);
  return at + 33;
}

function writeLeaf(trie: Trie, position: number, depth: number, out: Uint8Array, at: number): number {
  const { bytes, items, keccak } = trie;
  const index = indexOf(trie, position);
  const [start, end] = [items[index] ?? 0, items[index + 1] ?? 0];
  // A string lies as it is needed, with its head; a list becomes a string.
  const typed = !isList(bytes, start);
  if (typed && payloadAt(bytes, start) === end) throw new BlockDamaged(`item ${index} of a list is empty`);
  const size = end - start;
  const value = typed ? size : headLength(size) + size;
  const node = nodeAt(trie, depth);
  const nibbles = keyNibbles(index);
  let from = writeHead(node, 0, 0xc0, pathLength(nibbles - depth) + value);
  from = writePath(index, depth, nibbles, 0x20, node, from);
  if (!typed) from = writeHead(node, from, 0x80, size);
  if (size > LEAF_BYTES) return putReference(keccak, node.subarray(0, from), bytes.subarray(start, end), out, at);
  node.set(bytes.subarray(start, end), from);
  return putReference(keccak, node.subarray(0, from + size), undefined, out, at);
}
