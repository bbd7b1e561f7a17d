import { type Input, type Parser, readByte, refill } from './dump-parser.ts';
import { DumpDamaged, UnsupportedDump } from './errors.ts';

/**
 * The head of `pg_dump`'s custom format: header and table of contents. Source: PostgreSQL's `pg_backup_archiver.c`
 * (`ReadHead`, `ReadToc`), archive versions 1.12 (9.0) to 1.16 (17 and 18).
 */
export interface ArchiveHead {
  readonly compression: 'none' | 'gzip' | 'lz4' | 'zstd';
  readonly createdAt: string;
  readonly database: string | null;
  readonly serverVersion: string | null;
  readonly dumpVersion: string | null;
  readonly entries: readonly TocEntry[];
}

export interface TocEntry {
  readonly id: number;
  /** A block of data belongs to it. */
  readonly hasData: boolean;
  readonly tag: string;
  /** Such as `TABLE` or `TABLE DATA`. */
  readonly kind: string;
  readonly schema: string;
  /** SQL that makes it. */
  readonly sql: string;
  readonly copy: string;
}

/** A sign and four bytes, the lowest first. */
export function* readInteger(input: Input, within: string): Parser<number> {
  const sign = yield* readByte(input, within);
  let value = 0;
  for (let place = 0; place < 4; place += 1) value += (yield* readByte(input, within)) * 2 ** (8 * place);
  return sign === 0 ? value : -value;
}

/** No single statement is as long as this: a larger length is damage, and must not be waited for. */
const TEXT_LIMIT = 64 * 1024 * 1024;

function* readText(input: Input, within: string): Parser<string | null> {
  const length = yield* readInteger(input, within);
  if (length < 0) return null;
  if (length > TEXT_LIMIT) throw new DumpDamaged(`a text of ${length} bytes in ${within}`);
  const pieces: Buffer[] = [];
  for (let left = length; left > 0; ) {
    if (input.at === input.bytes.length) yield* refill(input, within);
    const piece = Buffer.from(input.bytes.subarray(input.at, input.at + left));
    pieces.push(piece);
    input.at += piece.length;
    left -= piece.length;
  }
  return Buffer.concat(pieces).toString('utf8');
}

const MAGIC = 'PGDMP';
const CUSTOM_FORMAT = 1;
const COMPRESSIONS = ['none', 'gzip', 'lz4', 'zstd'] as const;

export function* readHead(input: Input): Parser<ArchiveHead> {
  const within = 'its header';
  const magic: number[] = [];
  while (magic.length < MAGIC.length) magic.push(yield* readByte(input, within));
  if (String.fromCharCode(...magic) !== MAGIC) throw new DumpDamaged(`it does not begin with ${MAGIC}`);
  const [major = 0, minor = 0, , integerBytes, offsetBytes = 0, format] = yield* readBytes(input, 6, within);
  if (major !== 1 || minor < 12 || minor > 16) throw new UnsupportedDump(`its archive version is ${major}.${minor}`);
  if (integerBytes !== 4 || format !== CUSTOM_FORMAT) {
    throw new UnsupportedDump(`its format is ${format} with integers of ${integerBytes} bytes, not 1 with 4`);
  }
  const compression = yield* readCompression(input, minor);
  const time: number[] = [];
  while (time.length < 7) time.push(yield* readInteger(input, within));
  const database = yield* readText(input, within);
  const serverVersion = yield* readText(input, within);
  const dumpVersion = yield* readText(input, within);
  const entries = yield* readToc(input, minor, offsetBytes);
  return { compression, createdAt: wallClock(time), database, serverVersion, dumpVersion, entries };
}

function* readBytes(input: Input, count: number, within: string): Parser<number[]> {
  const bytes: number[] = [];
  while (bytes.length < count) bytes.push(yield* readByte(input, within));
  return bytes;
}

/** Since 1.15 by name; before, zlib's level, where -1 is its default. */
function* readCompression(input: Input, minor: number): Parser<ArchiveHead['compression']> {
  if (minor < 15) return (yield* readInteger(input, 'its header')) === 0 ? 'none' : 'gzip';
  const number = yield* readByte(input, 'its header');
  const compression = COMPRESSIONS[number];
  if (compression === undefined) throw new UnsupportedDump(`its compression is number ${number}`);
  return compression;
}

/** C's `struct tm`: years since 1900, months from 0. */
function wallClock([second = 0, minute = 0, hour = 0, day = 0, month = 0, year = 0]: number[]): string {
  const date = new Date(Date.UTC(year + 1900, month, day, hour, minute, second));
  if (Number.isNaN(date.getTime())) throw new DumpDamaged('its header holds no time');
  return date.toISOString().slice(0, 19);
}

function* readToc(input: Input, minor: number, offsetBytes: number): Parser<TocEntry[]> {
  const count = yield* readInteger(input, 'its table of contents');
  const entries: TocEntry[] = [];
  for (let number = 1; number <= count; number += 1) {
    const within = `entry ${number} of ${count} of its table of contents`;
    entries.push(yield* readEntry(input, minor, within));
    // Where its data lies, if the output could be rewound; streams are read in order and need it not.
    yield* readBytes(input, 1 + offsetBytes, within);
  }
  return entries;
}

function* readEntry(input: Input, minor: number, within: string): Parser<TocEntry> {
  const id = yield* readInteger(input, within);
  const hasData = (yield* readInteger(input, within)) !== 0;
  yield* readText(input, within); // catalogue's table
  yield* readText(input, within); // object's number in it
  const tag = (yield* readText(input, within)) ?? '';
  const kind = (yield* readText(input, within)) ?? '';
  yield* readInteger(input, within); // section
  const sql = (yield* readText(input, within)) ?? '';
  yield* readText(input, within); // SQL that drops it
  const copy = (yield* readText(input, within)) ?? '';
  const schema = (yield* readText(input, within)) ?? '';
  yield* readText(input, within); // tablespace
  if (minor >= 14) yield* readText(input, within); // access method
  if (minor >= 16) yield* readInteger(input, within); // kind of relation
  yield* readText(input, within); // owner
  yield* readText(input, within); // with OIDs, long gone
  while ((yield* readText(input, within)) !== null); // what it depends on
  return { id, hasData, tag, kind, schema, sql, copy };
}
