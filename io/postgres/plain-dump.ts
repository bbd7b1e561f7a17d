import type { FactQuery } from '../../core/facts.ts';
import { copyRowReader, textOfBytes } from './copy-text.ts';
import { bytesRead, hasMore, type Input, type Parser, parsingReader, refill } from './dump-parser.ts';
import type { DumpReader, DumpReading } from './dump-reader.ts';
import { DumpDamaged, UnsupportedDump } from './errors.ts';
import { type FactFolds, foldFacts, type RowSink } from './fold-facts.ts';
import { type InsertStatement, insertedRows, insertStatement } from './insert-statement.ts';
import { endOfStatement, type OpenQuote } from './sql-statement.ts';
import { attachment, copyColumns, createdTable, qualifiedKey, type TableShape, tableKey } from './table-shape.ts';

/**
 * Reads `pg_dump`'s plain SQL to its last line, which is how a cut is found: nothing else marks its end. Rows are taken
 * from `COPY … FROM stdin` or from `INSERT`s that name their columns (`--column-inserts`).
 */
export const plainDumpReader = (queries: readonly FactQuery[]): DumpReader =>
  parsingReader((input) => readPlain(input, queries));

const COMPLETE = '-- PostgreSQL database dump complete';
/** Only what a dump's last lines hold may follow. */
const AFTER_COMPLETE = /^(?:--|\\unrestrict \S+)?$/;
const DATA_HEADER = /^-- Data for Name: (.*); Type: TABLE DATA; Schema: (.*); Owner: /;
const VERSION = /^-- Dumped (from database|by pg_dump) version (.*)$/;

/** What the lines so far have said. */
interface Dump {
  readonly queries: readonly FactQuery[];
  readonly shapes: TableShape[];
  readonly parents: Map<string, string>;
  readonly versions: Map<string, string>;
  entries: number;
  complete: boolean;
  /** Made when the first rows come: by then all tables are declared. */
  folds: FactFolds | undefined;
  /** Into which rows of the last `INSERT` went: the next one mostly has the same head. */
  inserting: { readonly head: string; readonly sink: RowSink | undefined } | undefined;
}

function* readPlain(input: Input, queries: readonly FactQuery[]): Parser<DumpReading> {
  const dump: Dump = {
    queries,
    shapes: [],
    parents: new Map(),
    versions: new Map(),
    entries: 0,
    complete: false,
    folds: undefined,
    inserting: undefined,
  };
  let lines: string[] = [];
  let quote: OpenQuote = '';
  while (yield* hasMore(input)) {
    const line = yield* readLine(input);
    if (lines.length === 0 && isOutside(line, dump)) continue;
    lines.push(line);
    const end = endOfStatement(line, quote);
    quote = end.quote;
    if (!end.ended) continue;
    yield* readStatement(lines.join('\n'), input, dump);
    lines = [];
  }
  if (!dump.complete) throw new DumpDamaged(`it ends after ${bytesRead(input)} bytes, without its closing line`);
  return reading(dump, bytesRead(input));
}

function reading(dump: Dump, bytes: number): DumpReading {
  const serverVersion = dump.versions.get('from database') ?? null;
  const dumpVersion = dump.versions.get('by pg_dump') ?? null;
  const summary = { database: null, createdAt: null, serverVersion, dumpVersion, entries: dump.entries, bytes };
  return { summary, facts: foldsOf(dump).facts() };
}

/** No statement is as long as this; a larger one is not waited for. */
const LINE_LIMIT = 256 * 1024 * 1024;

/** A line as a byte string, without its newline. */
function* readLine(input: Input): Parser<string> {
  let line = '';
  for (;;) {
    const newline = input.bytes.indexOf(10, input.at);
    const end = newline === -1 ? input.bytes.length : newline;
    line += input.bytes.toString('latin1', input.at, end);
    input.at = newline === -1 ? end : end + 1;
    if (newline !== -1) return line;
    if (line.length > LINE_LIMIT) throw new UnsupportedDump(`it holds a line of more than ${LINE_LIMIT} bytes`);
    yield* refill(input, 'a line');
  }
}

/** Is the line, where no statement is open, one of psql's or a comment? */
function isOutside(line: string, dump: Dump): boolean {
  if (dump.complete && !AFTER_COMPLETE.test(line)) throw new DumpDamaged('it goes on after its closing line');
  if (line === COMPLETE) dump.complete = true;
  if (line.startsWith('\\connect')) throw new UnsupportedDump('it is of several databases');
  const [, which, version] = VERSION.exec(line) ?? [];
  if (which !== undefined && version !== undefined) dump.versions.set(which, version);
  const [, table, schema] = DATA_HEADER.exec(textOfBytes(line)) ?? [];
  if (table !== undefined && schema !== undefined) {
    dump.entries += 1;
    foldsOf(dump).present(tableKey(schema, table));
  }
  return line === '' || line.startsWith('--') || line.startsWith('\\');
}

function foldsOf(dump: Dump): FactFolds {
  dump.folds ??= foldFacts(dump.queries, dump);
  return dump.folds;
}

function* readStatement(sql: string, input: Input, dump: Dump): Parser<void> {
  if (sql.startsWith('INSERT INTO ')) return takeInserted(insertStatement(sql), dump);
  if (sql.startsWith('COPY ') && sql.endsWith(' FROM stdin;')) return yield* readCopied(textOfBytes(sql), input, dump);
  if (sql.startsWith('SET standard_conforming_strings = off')) throw new UnsupportedDump('its strings have escapes');
  if (dump.queries.length > 0 && /^SET client_encoding = '(?!UTF8'|SQL_ASCII')/.test(sql)) {
    throw new UnsupportedDump(`its text is not UTF-8: ${sql}`);
  }
  const text = textOfBytes(sql);
  const shape = createdTable(text);
  if (shape !== undefined) dump.shapes.push(shape);
  const attached = attachment(text);
  if (attached !== undefined) dump.parents.set(attached.child, attached.parent);
}

function* readCopied(sql: string, input: Input, dump: Dump): Parser<void> {
  const sink = foldsOf(dump).sink(qualifiedKey(sql.slice('COPY '.length)), copyColumns(sql));
  const rows = copyRowReader(sink?.wanted ?? [], sink?.row ?? (() => undefined));
  while (!rows.ended()) {
    yield* refill(input, sql);
    input.at += rows.feed(input.bytes.subarray(input.at));
  }
}

function takeInserted(statement: InsertStatement, dump: Dump): void {
  if (dump.inserting?.head !== statement.head) {
    const { head, key, columns } = statement;
    const sink = foldsOf(dump).sink(key, columns);
    if (sink !== undefined && columns.length === 0) throw new UnsupportedDump(`rows name no columns: ${head}`);
    dump.inserting = { head, sink };
  }
  const { sink } = dump.inserting;
  if (sink !== undefined) for (const row of insertedRows(statement)) sink.row(row);
}
