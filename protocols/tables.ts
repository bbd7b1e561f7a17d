import { LedgerholdError } from '../core/errors.ts';
import type { FactRow, Facts } from '../core/facts.ts';
import type { Reading } from '../core/positions.ts';

/** What a database answered cannot be understood for sure: it reads as `unknown`. */
export class PositionUnclear extends LedgerholdError {
  override readonly name = 'PositionUnclear';
  readonly kind = 'unknown';
  constructor(message: string) {
    super(message, 'Check that this version of the node is one that this version of ledgerhold knows.');
  }
}

/** Surely not the database that the configuration means. */
export class WrongDatabase extends LedgerholdError {
  override readonly name = 'WrongDatabase';
  readonly kind = 'violation';
  constructor(message: string) {
    super(message, 'Name the database that the node really opens.');
  }
}

export type Answer = Reading | { readonly status: 'refused'; readonly reason: string };

/** What `read` makes of a database, with doubt and refusal as answers. */
export function answerOf(read: () => Reading): Answer {
  try {
    return read();
  } catch (error) {
    if (error instanceof PositionUnclear) return { status: 'unknown', reason: error.message };
    if (error instanceof WrongDatabase) return { status: 'refused', reason: error.message };
    throw error;
  }
}

/** Does any schema have the table? */
export const hasTable = (facts: Facts, table: string): boolean => (facts[table] ?? []).length > 0;

/** Is there a row for sure? */
export const hasRows = (facts: Facts, table: string): boolean =>
  (facts[table] ?? []).some((answer) => answer.status === 'too-many-rows' || rowsIn(answer).some(isNotEmpty));

/** The largest value of an empty table is a row of nulls to SQL, and no row to a dump. */
const isNotEmpty = (row: FactRow): boolean => Object.values(row).some((value) => value !== null);

const rowsIn = (answer: NonNullable<Facts[string]>[number]): readonly FactRow[] =>
  answer.status === 'rows' ? answer.rows : [];

/** The rows of every schema, none of them empty. Throws `PositionUnclear` where there is any doubt about them. */
export function rowsOfAllSchemas(facts: Facts, table: string): readonly FactRow[] {
  return bySchema(facts, table).flatMap(({ rows }) => rows);
}

/** The rows of the one schema that has any. Where several have some, they must be the same rows. */
export function rowsOf(facts: Facts, table: string): readonly FactRow[] {
  const [first, ...others] = bySchema(facts, table).filter(({ rows }) => rows.length > 0);
  const other = others.find(({ rows }) => JSON.stringify(rows) !== JSON.stringify(first?.rows));
  if (first !== undefined && other !== undefined) {
    throw new PositionUnclear(`schemas ${first.schema} and ${other.schema} disagree about ${table}`);
  }
  return first?.rows ?? [];
}

function bySchema(facts: Facts, table: string): readonly { schema: string; rows: readonly FactRow[] }[] {
  const answers = facts[table] ?? [];
  if (answers.length === 0) throw new PositionUnclear(`no schema has a table ${table}`);
  return answers.map((answer) => {
    if (answer.status === 'no-such-column') {
      throw new PositionUnclear(`table ${answer.schema}.${table} has no column ${answer.column}`);
    }
    if (answer.status === 'too-many-rows') throw new PositionUnclear(`${answer.schema}.${table} has too many rows`);
    return { schema: answer.schema, rows: answer.rows.filter(isNotEmpty) };
  });
}

/** The only row of a table that cannot have two. */
export function onlyRow(facts: Facts, table: string): FactRow {
  const [row, another] = rowsOf(facts, table);
  if (row === undefined) throw new PositionUnclear(`table ${table} is empty`);
  if (another !== undefined) throw new PositionUnclear(`table ${table} has more than one row`);
  return row;
}

/** A value that is there. */
export function textIn(row: FactRow, table: string, column: string): string {
  const value = row[column];
  if (value === undefined || value === null || value === '') throw new PositionUnclear(`${table}.${column} is empty`);
  return value;
}

/** A whole number, in the one way to write it. */
export function wholeIn(row: FactRow, table: string, column: string): string {
  const value = textIn(row, table, column);
  if (!/^(?:0|-?[1-9]\d*)$/.test(value)) {
    throw new PositionUnclear(`${table}.${column} is ${shown(value)}, not a whole number`);
  }
  return value;
}

/** A value in a message: quoted, and no longer than a line. */
export const shown = (value: string): string => JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
