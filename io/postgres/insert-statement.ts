import { escapeCopy, textOfBytes } from './copy-text.ts';
import { DumpDamaged } from './errors.ts';
import { qualifiedKey, splitNames } from './table-shape.ts';

/** An `INSERT` as `pg_dump` writes it: literals only. */
export interface InsertStatement {
  /** All before the rows; the same for each row of a table. */
  readonly head: string;
  readonly key: string;
  /** Empty if it names none. */
  readonly columns: readonly string[];
  readonly sql: string;
}

const HEAD = /^INSERT INTO ((?:"(?:[^"]|"")+"|[^\s"])+) (?:\((.*?)\) )?(?:OVERRIDING SYSTEM VALUE )?VALUES\s+/;

export function insertStatement(sql: string): InsertStatement {
  const [head, table = '', columns = ''] = HEAD.exec(sql) ?? [];
  if (head === undefined) throw new DumpDamaged(`a statement ${sql.slice(0, 60)}`);
  return { head, key: qualifiedKey(textOfBytes(table)), columns: splitNames(textOfBytes(columns)), sql };
}

/** A bracket, a comma, or a value: quoted, of bits, or bare (numbers, `true`, `NULL`, `DEFAULT`). */
const TOKEN = /\s*(?:([(),;])|B?'((?:[^']|'')*)'|([^\s,()';]+))/y;

/** Rows by column number, as COPY would have written them. */
export function* insertedRows({ head, sql }: InsertStatement): Generator<string[]> {
  let row: string[] = [];
  TOKEN.lastIndex = head.length;
  while (TOKEN.lastIndex < sql.length) {
    const token = TOKEN.exec(sql);
    if (token === null) throw new DumpDamaged(`a row that cannot be read in ${head.trim()}`);
    const resumeAt = TOKEN.lastIndex;
    const [, mark, quoted, bare] = token;
    if (mark === '(') row = [];
    if (mark === undefined)
      row.push(quoted === undefined ? bareValue(bare ?? '') : escapeCopy(quoted.replaceAll("''", "'")));
    if (mark === ')') yield row;
    TOKEN.lastIndex = resumeAt;
  }
}

/** What the type's own output would be: `pg_dump` writes booleans out. */
const BARE: Readonly<Record<string, string>> = { NULL: '\\N', true: 't', false: 'f' };

const bareValue = (bare: string): string => BARE[bare] ?? bare;
