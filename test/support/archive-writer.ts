import { deflateSync, zstdCompressSync } from 'node:zlib';

/** One entry of a table of contents to write; with rows it has data. */
export interface WrittenEntry {
  readonly kind: string;
  readonly schema?: string;
  readonly tag: string;
  readonly sql?: string;
  readonly copy?: string;
  /** Each string becomes a chunk. */
  readonly rows?: readonly string[];
  /** Large objects by number. */
  readonly blobs?: Readonly<Record<number, readonly string[]>>;
}

export interface WrittenArchive {
  /** Archive version 1.`minor`. */
  readonly minor: number;
  readonly compression: 'none' | 'gzip' | 'lz4' | 'zstd';
  readonly entries: readonly WrittenEntry[];
}

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes[0] = value < 0 ? 1 : 0;
  bytes.writeUInt32LE(Math.abs(value), 1);
  return bytes;
};

const text = (value: string | null): Buffer =>
  value === null ? int(-1) : Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);

/** `pg_dump`'s custom format, written a second time by its description, to have the versions that are not at hand. */
export function writeArchive({ minor, compression, entries }: WrittenArchive): Buffer {
  const head = Buffer.concat([
    Buffer.from('PGDMP'),
    Buffer.from([1, minor, 0, 4, 8, 1]),
    compressionField(minor, compression),
  ]);
  // 2026-11-21 07:25:50, a Saturday, no summer time.
  const time = [50, 25, 7, 21, 10, 126, 0].map(int);
  const names = ['shop', '15.18', '17.2'].map(text);
  const toc = entries.map((entry, index) => tocEntry(entry, index + 1, minor));
  const blocks = entries.map((entry, index) => block(entry, index + 1, compression));
  return Buffer.concat([head, ...time, ...names, int(entries.length), ...toc, ...blocks]);
}

function compressionField(minor: number, compression: WrittenArchive['compression']): Buffer {
  if (minor < 15) return int(compression === 'none' ? 0 : -1);
  return Buffer.from([['none', 'gzip', 'lz4', 'zstd'].indexOf(compression)]);
}

function tocEntry(entry: WrittenEntry, id: number, minor: number): Buffer {
  const hasData = entry.rows !== undefined || entry.blobs !== undefined;
  return Buffer.concat([
    ...[id, hasData ? 1 : 0].map(int),
    ...['1259', String(16_000 + id), entry.tag, entry.kind].map(text),
    int(2),
    ...[entry.sql ?? '', '', entry.copy ?? null, entry.schema ?? null, ''].map(text),
    ...(minor >= 14 ? [text('heap')] : []),
    ...(minor >= 16 ? [int(114)] : []),
    ...['owner', 'false', '7', '8', null].map(text),
    Buffer.from([hasData ? 1 : 3, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);
}

function block({ rows, blobs }: WrittenEntry, id: number, compression: WrittenArchive['compression']): Buffer {
  if (rows !== undefined) return Buffer.concat([Buffer.from([1]), int(id), chunks(rows, compression)]);
  if (blobs === undefined) return Buffer.alloc(0);
  const objects = Object.entries(blobs).flatMap(([oid, pieces]) => [int(Number(oid)), chunks(pieces, compression)]);
  return Buffer.concat([Buffer.from([3]), int(id), ...objects, int(0)]);
}

function chunks(pieces: readonly string[], compression: WrittenArchive['compression']): Buffer {
  const whole = Buffer.from(pieces.join(''));
  const encode = { gzip: deflateSync, zstd: zstdCompressSync, lz4: (bytes: Buffer) => bytes };
  const bodies = compression === 'none' ? pieces.map((piece) => Buffer.from(piece)) : inTwo(encode[compression](whole));
  return Buffer.concat([...bodies.flatMap((body) => [int(body.length), body]), int(0)]);
}

const inTwo = (bytes: Buffer): Buffer[] => [bytes.subarray(0, 7), bytes.subarray(7)].filter(({ length }) => length > 0);
