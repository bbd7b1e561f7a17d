import { FACT_ROWS_LIMIT, type FactAnswer, type FactQuery, type Facts } from '../../core/facts.ts';
import type { AskFacts } from '../../core/ports.ts';
import { askedColumns, boundedAnswers, rowsAnswer } from './fold-facts.ts';
import { identifier, literal, type Session } from './session.ts';

/** A table as the catalogue knows it. */
interface FoundTable {
  readonly schema: string;
  readonly table: string;
  readonly partitioned: boolean;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly notNull: boolean }[];
  /** Columns of each B-tree over all rows, in its order; null stands for an expression. */
  readonly indexes: readonly (readonly (string | null)[])[] | null;
}

/** Settings under which PostgreSQL writes values as `pg_dump` does, reads all rows or none, and waits for us. */
const AS_PG_DUMP = {
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  standard_conforming_strings: 'on',
  search_path: '',
  row_security: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  transaction_timeout: '0',
};

/** Begins the transaction in which `askFacts` asks: it sees one state, whatever is written meanwhile. */
export async function beginSnapshot(session: Session): Promise<void> {
  await session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const settings = Object.entries(AS_PG_DUMP).map(([name, value]) => `(${literal(name)}, ${literal(value)})`);
  // Joined with those that this server has: the youngest came with version 17.
  await session.rows(`SELECT set_config(s.name, wanted.value, true) FROM pg_settings s
    JOIN (VALUES ${settings.join(', ')}) wanted (name, value) ON wanted.name = s.name`);
}

/** Answers by SQL, in the session's transaction, what the same database's dump would answer. */
export function askFacts(session: Session): AskFacts {
  return async (queries) => {
    const found = await findTables(session, queries);
    const facts: [string, FactAnswer[]][] = [];
    // One after the other: a session answers one question at a time.
    for (const query of queries) {
      const answers: FactAnswer[] = [];
      const tables = found.filter(({ table }) => table === query.table);
      for (const table of tables) answers.push(await answer(session, query, table));
      facts.push([query.as ?? query.table, boundedAnswers(answers)]);
    }
    return Object.fromEntries(facts) satisfies Facts;
  };
}

/** What a dump holds: no temporary tables, none of the system's or an extension's, no generated columns. */
async function findTables(session: Session, queries: readonly FactQuery[]): Promise<FoundTable[]> {
  if (queries.length === 0) return [];
  const names = queries.map(({ table }) => literal(table)).join(', ');
  const rows = await session.rows(
    `
    SELECT json_build_object('schema', n.nspname, 'table', c.relname, 'partitioned', c.relkind = 'p',
      'columns', (
        SELECT json_agg(json_build_object('name', a.attname, 'type', t.typname, 'notNull', a.attnotnull) ORDER BY attnum)
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND coalesce(to_jsonb(a)->>'attgenerated', '') = ''),
      'indexes', (
        SELECT json_agg((
          SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum))
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relname IN (${names})
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
  );
  return rows.map(([json]) => JSON.parse(json ?? 'null') as FoundTable);
}

async function answer(session: Session, query: FactQuery, table: FoundTable): Promise<FactAnswer> {
  const asked = askedColumns(query);
  const column = asked.find((name) => !(table.columns ?? []).some((one) => one.name === name));
  if (column !== undefined) return { schema: table.schema, status: 'no-such-column', column };
  return rowsAnswer(table.schema, asked, await session.rows(sqlOf(query, table)));
}

/** One row more than is allowed, so that too many can be told. */
const LIMIT = `LIMIT ${FACT_ROWS_LIMIT + 1}`;

function sqlOf({ columns, max }: FactQuery, table: FoundTable): string {
  // ONLY: rows of tables that inherit from this one are dumped, and asked for, under their own names.
  const from = `${table.partitioned ? '' : 'ONLY '}${identifier(table.schema)}.${identifier(table.table)}`;
  if (max === undefined) return `SELECT ${columns.map(identifier).join(', ')} FROM ${from} ${LIMIT}`;
  if (columns.length > 0 && hasIndex(table, columns, max)) return hoppingMax(from, columns, max);
  const keys = columns.map(identifier).join(', ');
  const largest = isInteger(table, max) ? `max(${identifier(max)})` : `max(${bytesOf(max)} COLLATE "C")`;
  if (columns.length > 0) return `SELECT ${keys}, ${largest} FROM ${from} GROUP BY ${keys} ${LIMIT}`;
  return `SELECT * FROM (SELECT ${largest} FROM ${from}) largest WHERE EXISTS (SELECT FROM ${from})`;
}

const isInteger = ({ columns }: FoundTable, name: string): boolean =>
  columns.some((column) => column.name === name && /^int[248]$/.test(column.type));

/** The type's own output, which is what a dump compares. */
const bytesOf = (name: string): string =>
  `CASE WHEN ${identifier(name)} IS NOT NULL THEN format('%s', ${identifier(name)}) END`;

/** Can the largest integer of each key be looked up? Keys must not be NULL: no comparison finds the next one then. */
function hasIndex(table: FoundTable, columns: readonly string[], max: string): boolean {
  const areSound = columns.every((name) => table.columns.some((column) => column.name === name && column.notNull));
  const wanted = JSON.stringify([...columns, max]);
  const leads = (index: readonly (string | null)[]) => JSON.stringify(index.slice(0, columns.length + 1)) === wanted;
  return areSound && isInteger(table, max) && (table.indexes ?? []).some(leads);
}

/** Hops from key to key by the index: two look-ups a key, where GROUP BY reads every row. */
function hoppingMax(from: string, columns: readonly string[], max: string): string {
  const names = columns.map(identifier);
  const keys = names.join(', ');
  const of = (alias: string) => names.map((name) => `${alias}.${name}`).join(', ');
  const same = names.map((name) => `t.${name} = keys.${name}`).join(' AND ');
  const field = identifier(max);
  return `WITH RECURSIVE keys AS (
      (SELECT ${keys} FROM ${from} ORDER BY ${keys} LIMIT 1)
      UNION ALL
      SELECT ${of('next')} FROM keys CROSS JOIN LATERAL (
        SELECT ${keys} FROM ${from} t WHERE (${of('t')}) > (${of('keys')}) ORDER BY ${keys} LIMIT 1) next)
    SELECT ${keys}, (SELECT t.${field} FROM ${from} t WHERE ${same} AND t.${field} IS NOT NULL
      ORDER BY t.${field} DESC LIMIT 1)
    FROM keys ${LIMIT}`;
}
