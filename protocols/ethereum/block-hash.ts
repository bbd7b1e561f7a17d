import { BlockDamaged } from './errors.ts';
import { type ExtraPieces, filteredExtra, type HashRule } from './hash-rules.ts';
import type { Keccak } from './keccak.ts';
import { type BlockLayout, FIELD, fieldEnd } from './layout.ts';
import { headLength, payloadAt, writeHead } from './rlp.ts';

/** The hash of the block whose header is laid out, by one rule. Throws `BlockDamaged` if it is not of the rule's form. */
export function blockHash(bytes: Uint8Array, layout: BlockLayout, rule: HashRule, keccak: Keccak): Uint8Array {
  if (rule === 'keccak') return keccak(bytes.subarray(layout.header, layout.headerEnd));
  const pieces = filteredExtra(bytes, layout, rule);
  if (pieces === undefined) throw new BlockDamaged(`its extra data is not of the form that ${rule} has`);
  return keccak(filteredHeader(bytes, layout, pieces));
}

/** The header with another field of extra data. */
function filteredHeader(bytes: Uint8Array, layout: BlockLayout, { before, kept, added }: ExtraPieces): Uint8Array {
  const listed = kept[1] - kept[0] + added.length;
  const extra = before[1] - before[0] + headLength(listed) + listed;
  const start = payloadAt(bytes, layout.header);
  const extraStart = layout.fields[FIELD.extraData] ?? start;
  const extraEnd = fieldEnd(layout, FIELD.extraData);
  const length = extraStart - start + headLength(extra) + extra + layout.headerEnd - extraEnd;
  const header = new Uint8Array(headLength(length) + length);
  let at = writeHead(header, 0, 0xc0, length);
  const copy = (from: number, to: number) => {
    header.set(bytes.subarray(from, to), at);
    at += to - from;
  };
  copy(start, extraStart);
  at = writeHead(header, at, 0x80, extra);
  copy(...before);
  at = writeHead(header, at, 0xc0, listed);
  copy(...kept);
  header.set(added, at);
  at += added.length;
  copy(extraEnd, layout.headerEnd);
  return header;
}
