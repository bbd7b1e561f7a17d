import { FACT_ROWS_LIMIT, type FactAnswer, type FactQuery, type FactRow, type Facts } from '../../core/facts.ts';
import { textOfBytes, unescapeCopy } from './copy-text.ts';
import { UnsupportedDump } from './errors.ts';
import { type TableShape, tableKey } from './table-shape.ts';

/** What the schema part of a dump says, as far as questions need it. */
export interface DumpedTables {
  readonly shapes: readonly TableShape[];
  /** Of each partition, by key, the key of what it is part of. */
  readonly parents: ReadonlyMap<string, string>;
}

/** Takes some columns of one table's rows; values are byte strings in COPY's text form, by column number. */
export interface RowSink {
  readonly wanted: readonly number[];
  row(values: readonly string[]): void;
}

export interface FactFolds {
  /** To be called for each table whose rows the dump holds, if only none. */
  present(key: string): void;
  /** For rows of a table with these columns, or undefined if nobody asks for them. */
  sink(key: string, columns: readonly string[]): RowSink | undefined;
  /** Throws `UnsupportedDump` if rows that were asked for were left out of the dump. */
  facts(): Facts;
}

/** One question to one table: itself or its partitions feed it. */
interface Fold {
  readonly query: FactQuery;
  readonly shape: TableShape;
  /** Keys of the tables whose rows count. */
  readonly sources: readonly string[];
  readonly asked: readonly string[];
  readonly rows: Map<string, (string | null)[]>;
  add(values: readonly string[]): void;
}

/** Answers questions out of a dump's rows while they pass. Memory: at most `FACT_ROWS_LIMIT` rows a table. */
export function foldFacts(queries: readonly FactQuery[], dumped: DumpedTables): FactFolds {
  const folds = dumped.shapes.flatMap((shape) =>
    queries.filter((query) => query.table === shape.table).map((query) => newFold(query, shape, dumped)),
  );
  const present = new Set<string>();
  return {
    present: (key) => void present.add(key),
    sink(key, columns) {
      const fed = folds.filter((fold) => fold.sources.includes(key) && missing(fold) === undefined);
      return fed.length === 0 ? undefined : sinkFor(fed, columns);
    },
    facts() {
      const answered = folds.map((fold) => ({ query: fold.query, answer: answer(fold, present) }));
      const answersTo = (query: FactQuery) => answered.filter((one) => one.query === query).map((one) => one.answer);
      return Object.fromEntries(
        queries.map((query) => [query.as ?? query.table, boundedAnswers(answersTo(query))] as const),
      );
    },
  };
}

function newFold(query: FactQuery, shape: TableShape, { shapes, parents }: DumpedTables): Fold {
  const own = tableKey(shape.schema, shape.table);
  const isPart = (key: string | undefined): boolean => key === own || (key !== undefined && isPart(parents.get(key)));
  const leaves = shapes.filter(({ partitioned }) => !partitioned).map(({ schema, table }) => tableKey(schema, table));
  const rows = new Map<string, (string | null)[]>();
  const isLater = query.max !== undefined && shape.integers.has(query.max) ? isLargerInteger : isLargerText;
  const add = (values: readonly string[]) => {
    if (rows.size > FACT_ROWS_LIMIT) return;
    // Without `max` equal rows count each; their number tells them apart.
    const id = query.max === undefined ? String(rows.size) : values.slice(0, -1).join('\t');
    const row = rows.get(id);
    const largest = unescapeCopy(values.at(-1) ?? '');
    if (row === undefined) rows.set(id, values.map(unescapeCopy));
    else if (largest !== null && isLater(largest, row.at(-1) ?? null)) row[row.length - 1] = largest;
  };
  return { query, shape, sources: leaves.filter(isPart), asked: askedColumns(query), rows, add };
}

/** The columns that a query's answer has, in the order of its rows' values. */
export const askedColumns = ({ columns, max }: FactQuery): readonly string[] =>
  max === undefined ? columns : [...columns, max];

const missing = ({ asked, shape }: Fold): string | undefined => asked.find((name) => !shape.columns.includes(name));

function sinkFor(folds: readonly Fold[], columns: readonly string[]): RowSink {
  const fed = folds.map((fold) => ({ fold, places: fold.asked.map((name) => placeOf(name, columns, fold.shape)) }));
  return {
    wanted: [...new Set(fed.flatMap(({ places }) => places))].sort((a, b) => a - b),
    row(values) {
      for (const { fold, places } of fed) fold.add(places.map((place) => values[place] ?? '\\N'));
    },
  };
}

function placeOf(name: string, columns: readonly string[], { schema, table }: TableShape): number {
  const place = columns.indexOf(name);
  if (place === -1) throw new UnsupportedDump(`column ${name} of ${schema}.${table} was left out of it`);
  return place;
}

const isLargerText = (a: string, b: string | null): boolean => b === null || a > b;

/** Without building big integers where digits alone can tell: this runs once a row. */
function isLargerInteger(a: string, b: string | null): boolean {
  if (b === null) return true;
  if (a.startsWith('-') || b.startsWith('-')) return BigInt(a) > BigInt(b);
  return a.length === b.length ? a > b : a.length > b.length;
}

/** A table can be in this many schemas; beyond, nobody can say which one counts. */
export const SCHEMAS_LIMIT = 32;

/** In the one order that both readers give. */
export function boundedAnswers(answers: FactAnswer[]): FactAnswer[] {
  if (answers.length > SCHEMAS_LIMIT) return [{ schema: '*', status: 'too-many-rows' }];
  return answers.sort((a, b) => (a.schema < b.schema ? -1 : 1));
}

function answer(fold: Fold, present: ReadonlySet<string>): FactAnswer {
  const { schema, table } = fold.shape;
  const column = missing(fold);
  if (column !== undefined) return { schema, status: 'no-such-column', column };
  if (!fold.sources.every((key) => present.has(key))) {
    throw new UnsupportedDump(`the rows of ${schema}.${table} were left out of it`);
  }
  return rowsAnswer(schema, fold.asked, [...fold.rows.values()].map(asText));
}

const asText = (values: readonly (string | null)[]) =>
  values.map((value) => (value === null ? null : textOfBytes(value)));

/** Rows have no order of their own; both readers give them in this one. */
export function rowsAnswer(
  schema: string,
  names: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): FactAnswer {
  if (rows.length > FACT_ROWS_LIMIT) return { schema, status: 'too-many-rows' };
  const sorted = rows.map((values) => ({ values, by: JSON.stringify(values) })).sort((a, b) => (a.by < b.by ? -1 : 1));
  const named = sorted.map(
    ({ values }): FactRow => Object.fromEntries(names.map((name, place) => [name, values[place] ?? null])),
  );
  return { schema, status: 'rows', rows: named };
}
