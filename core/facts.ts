/**
 * Facts: rows read from a ledger's database, by SQL inside the snapshot of a dump, or out of the dump's own bytes.
 * Both readers answer the same questions in the same form, so that one reading can be compared with the other.
 */

/** A question to one table, by its bare name, in whatever schemas it exists (at most 32). */
export interface FactQuery {
  readonly table: string;
  /** The name the answer goes by in `Facts`; default `table`. It lets one table be asked two things. */
  readonly as?: string;
  /** Columns to return, as text. */
  readonly columns: readonly string[];
  /**
   * With `max`: one row for each distinct combination of `columns`, with the largest value of column `max` (bigint, or
   * text compared as text) added under its name. Without it: every row, at most `FACT_ROWS_LIMIT`.
   */
  readonly max?: string;
}

/** A row's values as PostgreSQL's text format prints them; null is SQL NULL. */
export type FactRow = Readonly<Record<string, string | null>>;

/** One schema's answer to one question. */
export type FactAnswer =
  | { readonly schema: string; readonly status: 'rows'; readonly rows: readonly FactRow[] }
  | { readonly schema: string; readonly status: 'no-such-column'; readonly column: string }
  | { readonly schema: string; readonly status: 'too-many-rows' };

/** Answers by `FactQuery.as`, else by its `table`; an empty list means that no schema has the table. */
export type Facts = Readonly<Record<string, readonly FactAnswer[]>>;

/** A question without `max` is for small tables; beyond this many rows the answer is `too-many-rows`. */
export const FACT_ROWS_LIMIT = 1000;
