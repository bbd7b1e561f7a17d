import { DumpDamaged } from './errors.ts';

/**
 * PostgreSQL's COPY text format: rows end with a newline, values are apart by tabs, `\N` is NULL, and a line `\.` ends
 * the rows. Values are handled as byte strings (one character a byte), whose order is the order of their bytes.
 */
const TAB = 9;
const NEWLINE = 10;

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** One value without its escapes; null is SQL NULL. Servers write no other escapes than these. */
export function unescapeCopy(raw: string): string | null {
  if (raw === '\\N') return null;
  return raw.includes('\\') ? raw.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter) : raw;
}

/** The other way, for values that come from SQL literals. */
export const escapeCopy = (value: string | null): string =>
  value === null ? '\\N' : value.replace(/[\\\t\n]/g, (byte) => ({ '\\': '\\\\', '\t': '\\t' })[byte] ?? '\\n');

/** A byte string's text. */
export const textOfBytes = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

export interface RowReader {
  /** Takes rows, cut anywhere; keeps nothing of the buffer. Returns how many bytes belong to the rows and their end. */
  feed(piece: Buffer): number;
  /** Has the line that ends the rows been seen? */
  ended(): boolean;
}

/** Enough of a value to know that it is not the end. */
const END_BYTES = 3;

/**
 * Finds the values of some columns, still escaped, in a stream of rows; other values are passed over, however long.
 * `wanted` holds column numbers from 0. `onRow` gets the values by column number, in a list that is used again.
 */
export function copyRowReader(wanted: readonly number[], onRow: (values: readonly string[]) => void): RowReader {
  const last = Math.max(-1, ...wanted);
  const isWanted = Array.from({ length: last + 1 }, (_, column) => wanted.includes(column));
  const values: string[] = isWanted.map(() => '');
  let column = 0;
  let kept = '';
  let over = false;

  const text = (bytes: Buffer, from: number, to: number): string => {
    if (isWanted[column] === true) return bytes.toString('latin1', from, to);
    return column === 0 && kept.length < END_BYTES
      ? bytes.toString('latin1', from, Math.min(to, from + END_BYTES))
      : '';
  };
  const endField = (bytes: Buffer, from: number, to: number) => {
    if (column <= last) values[column] = kept + text(bytes, from, to);
    kept = '';
    column += 1;
  };
  const endRow = (bytes: Buffer, from: number, to: number) => {
    over = column === 0 && to - from <= END_BYTES && kept + text(bytes, from, to) === '\\.';
    endField(bytes, from, to);
    if (!over && column <= last) throw new DumpDamaged(`a row of ${column} values, where more columns were declared`);
    if (!over) onRow(values);
    column = 0;
  };
  const feed = (piece: Buffer) => {
    let from = 0;
    for (let at = 0; at < piece.length && !over; at += 1) {
      const byte = piece[at];
      if (byte !== TAB && byte !== NEWLINE) continue;
      if (byte === TAB) endField(piece, from, at);
      else endRow(piece, from, at);
      from = at + 1;
    }
    if (over) return from;
    kept += text(piece, from, piece.length);
    return piece.length;
  };
  return { feed, ended: () => over };
}
