import { createInflate, createZstdDecompress, type Inflate, type ZstdDecompress } from 'node:zlib';
import type { FactQuery } from '../../core/facts.ts';
import { type ArchiveHead, readHead, readInteger, type TocEntry } from './archive-toc.ts';
import { copyRowReader, type RowReader } from './copy-text.ts';
import {
  bytesRead,
  hasMore,
  type Input,
  type Parser,
  type Pending,
  parsingReader,
  readByte,
  refill,
} from './dump-parser.ts';
import type { DumpReader, DumpReading } from './dump-reader.ts';
import { DumpDamaged, UnsupportedDump } from './errors.ts';
import { type FactFolds, foldFacts } from './fold-facts.ts';
import { attachment, copyColumns, tableKey, tableShape } from './table-shape.ts';

const DATA_BLOCK = 1;
/** Large objects: one run of chunks for each, after its number; number 0 ends them. */
const BLOBS_BLOCK = 3;

/**
 * Reads `pg_dump`'s custom format to its last byte, in order, as a pipe gives it. After the table of contents come
 * blocks of data, and nothing marks the end: the archive is whole if every entry that promised data has had its block.
 * Bytes that nobody asked for are walked over, not copied.
 */
export const archiveReader = (queries: readonly FactQuery[]): DumpReader =>
  parsingReader((input, pending) => readArchive(input, queries, pending));

function* readArchive(input: Input, queries: readonly FactQuery[], pending: Pending): Parser<DumpReading> {
  const head = yield* readHead(input);
  const folds = factFolds(head, queries);
  const awaited = new Map(head.entries.filter(({ hasData }) => hasData).map((entry) => [entry.id, entry]));
  // Here, between blocks, and nowhere else the input may end.
  while (yield* hasMore(input)) {
    const type = yield* readByte(input, 'a block');
    if (type !== DATA_BLOCK && type !== BLOBS_BLOCK) {
      throw new DumpDamaged(`a block of type ${type} before byte ${bytesRead(input)}`);
    }
    const entry = yield* takeEntry(input, awaited);
    if (type === BLOBS_BLOCK) yield* walkBlobs(input, entry.tag);
    else yield* walkChunks(input, entry.tag, rowSink(entry, head, folds, pending));
  }
  const [lost] = awaited.values();
  if (lost !== undefined)
    throw new DumpDamaged(`it ends after ${bytesRead(input)} bytes, before the data of ${lost.tag}`);
  const { database, createdAt, serverVersion, dumpVersion, entries } = head;
  const summary = { database, createdAt, serverVersion, dumpVersion, entries: entries.length, bytes: bytesRead(input) };
  return { summary, facts: folds.facts() };
}

function* takeEntry(input: Input, awaited: Map<number, TocEntry>): Parser<TocEntry> {
  const id = yield* readInteger(input, "a block's head");
  const entry = awaited.get(id);
  if (entry === undefined) throw new DumpDamaged(`data of entry ${id}, which is unknown or was there before`);
  awaited.delete(id);
  return entry;
}

function* walkBlobs(input: Input, tag: string): Parser<void> {
  while ((yield* readInteger(input, tag)) !== 0) yield* walkChunks(input, tag, undefined);
}

/** Takes the bytes of one block, in pieces that are valid during the call only. */
interface Sink {
  write(piece: Buffer): void;
  end(): void;
}

/** Chunks are a length and that many bytes; length 0 ends them. Uncompressed, each row is a chunk: this loop is hot. */
function* walkChunks(input: Input, tag: string, sink: Sink | undefined): Parser<void> {
  for (;;) {
    let left = takeInteger(input) ?? (yield* readInteger(input, tag));
    if (left === 0) break;
    if (left < 0) throw new DumpDamaged(`a chunk of ${left} bytes in ${tag}`);
    while (left > 0) {
      if (input.at === input.bytes.length) yield* refill(input, tag);
      const size = Math.min(left, input.bytes.length - input.at);
      sink?.write(input.bytes.subarray(input.at, input.at + size));
      input.at += size;
      left -= size;
    }
  }
  sink?.end();
}

/** As `readInteger`, if all of it is at hand. */
function takeInteger(input: Input): number | undefined {
  const { bytes, at } = input;
  if (at + 5 > bytes.length) return undefined;
  input.at += 5;
  const value = bytes.readUInt32LE(at + 1);
  return bytes[at] === 0 ? value : -value;
}

function factFolds({ entries }: ArchiveHead, queries: readonly FactQuery[]): FactFolds {
  const shapes = entries
    .filter(({ kind }) => queries.length > 0 && kind === 'TABLE')
    .map(({ schema, tag, sql }) => tableShape(schema, tag, sql));
  const attachments = entries
    .filter(({ kind }) => kind === 'TABLE ATTACH' || kind === 'TABLE')
    .flatMap(({ sql }) => attachment(sql) ?? []);
  return foldFacts(queries, { shapes, parents: new Map(attachments.map(({ child, parent }) => [child, parent])) });
}

function rowSink(entry: TocEntry, head: ArchiveHead, folds: FactFolds, pending: Pending): Sink | undefined {
  const key = tableKey(entry.schema, entry.tag);
  folds.present(key);
  const sink = folds.sink(key, copyColumns(entry.copy));
  if (sink === undefined) return undefined;
  const encoding = head.entries.find(({ kind }) => kind === 'ENCODING')?.sql ?? '';
  if (!/'(?:UTF8|SQL_ASCII)'/.test(encoding)) throw new UnsupportedDump(`its text is not UTF-8: ${encoding.trim()}`);
  const rows = copyRowReader(sink.wanted, sink.row);
  const end = () => {
    if (!rows.ended()) throw new DumpDamaged(`the rows of ${entry.tag} have no end`);
  };
  if (head.compression === 'none') return { write: rows.feed, end };
  if (head.compression === 'lz4') throw new UnsupportedDump('its rows are compressed by lz4');
  return decodingSink(head.compression === 'gzip' ? createInflate() : createZstdDecompress(), rows, end, pending);
}

/** Decodes beside the parser; `pending` gets a promise for each piece in use, and one for the end. */
function decodingSink(decoder: Inflate | ZstdDecompress, rows: RowReader, end: () => void, pending: Pending): Sink {
  const decoded = new Promise<void>((resolve, reject) => {
    decoder.on('end', resolve).on('error', reject);
    decoder.on('data', (piece: Buffer) => {
      try {
        rows.feed(piece);
      } catch (error) {
        reject(error);
      }
    });
  }).catch((cause: unknown) => {
    throw cause instanceof DumpDamaged ? cause : new DumpDamaged('a compressed block cannot be read', { cause });
  });
  return {
    write(piece) {
      const written = new Promise<void>((resolve) => decoder.write(piece, () => resolve()));
      // A decoder that failed calls nobody back.
      pending.push(Promise.race([written, decoded]));
    },
    end() {
      decoder.end();
      pending.push(decoded.then(end));
    },
  };
}
