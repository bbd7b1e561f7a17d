import { DumpDamaged } from './errors.ts';

/** A table as the SQL of a dump declares it. */
export interface TableShape {
  readonly schema: string;
  readonly table: string;
  /** Columns whose values a dump holds, in order; generated ones it does not. */
  readonly columns: readonly string[];
  /** Those of `columns` that count in whole numbers. */
  readonly integers: ReadonlySet<string>;
  /** Has no rows of its own: they are in its partitions. */
  readonly partitioned: boolean;
}

export const tableKey = (schema: string, table: string): string => JSON.stringify([schema, table]);

const NAME = '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)';

/** An SQL name as `pg_dump` writes it, with or without quotes. */
export const unquote = (name: string): string =>
  name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;

/** `pg_dump` writes each column on a line of its own, four spaces in. */
const COLUMN = new RegExp(`^ {4}(${NAME}) (.*)$`, 'gm');
const INTEGER = /^(?:smallint|integer|bigint)(?:[ ,]|$)/;

export function tableShape(schema: string, table: string, createTable: string): TableShape {
  const columns = [...createTable.matchAll(COLUMN)]
    .map(([, name = '', type = '']) => ({ name: unquote(name), type }))
    .filter(({ type }) => !type.includes('GENERATED ALWAYS AS ('));
  return {
    schema,
    table,
    columns: columns.map(({ name }) => name),
    integers: new Set(columns.filter(({ type }) => INTEGER.test(type)).map(({ name }) => name)),
    partitioned: /^PARTITION BY /m.test(createTable),
  };
}

const CREATED = new RegExp(`^CREATE (?:UNLOGGED )?TABLE (${NAME})\\.(${NAME}) `);

/** Undefined if the statement makes no table. */
export function createdTable(sql: string): TableShape | undefined {
  const [, schema, table] = CREATED.exec(sql) ?? [];
  return schema === undefined || table === undefined ? undefined : tableShape(unquote(schema), unquote(table), sql);
}

const QUALIFIED = new RegExp(`^(${NAME})\\.(${NAME})`);

/** The key of the table that the text begins with the name of. */
export function qualifiedKey(sql: string): string {
  const [, schema = '', table = ''] = QUALIFIED.exec(sql) ?? [];
  return tableKey(unquote(schema), unquote(table));
}

const ATTACH = new RegExp(`^ALTER TABLE ONLY (${NAME})\\.(${NAME}) ATTACH PARTITION (${NAME})\\.(${NAME}) `, 'm');

/** Keys of a partition and of the table that it is part of, where a statement says so. */
export function attachment(sql: string): { readonly parent: string; readonly child: string } | undefined {
  const match = ATTACH.exec(sql);
  if (match === null) return undefined;
  const [parentSchema = '', parent = '', childSchema = '', child = ''] = match.slice(1).map(unquote);
  return { parent: tableKey(parentSchema, parent), child: tableKey(childSchema, child) };
}

const NAME_LIST = new RegExp(`^(.*?) ?\\((${NAME}(?:, ${NAME})*)\\) FROM stdin;`);

/** The columns of a `COPY … (…) FROM stdin;`, in order. */
export function copyColumns(statement: string): string[] {
  const list = NAME_LIST.exec(statement)?.[2];
  // A table without columns is copied without a list.
  if (list === undefined && !/ FROM stdin;/.test(statement)) throw new DumpDamaged(`it copies rows by ${statement}`);
  return splitNames(list ?? '');
}

export const splitNames = (list: string): string[] =>
  [...list.matchAll(new RegExp(NAME, 'g'))].map(([name]) => unquote(name));
