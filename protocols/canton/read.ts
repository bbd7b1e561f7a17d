import type { FactQuery, Facts } from '../../core/facts.ts';
import type { Reading } from '../../core/positions.ts';
import type { Protocol } from '../protocol.ts';
import { answerOf, hasRows, hasTable, PositionUnclear, rowsOf, WrongDatabase } from '../tables.ts';
import { NODE_TABLE } from './positions.ts';
import type { RoleReader } from './roles.ts';

/** Reads databases that only their rows tell apart: every node of Canton has the tables of all of them. */
export function byRows(
  queries: readonly FactQuery[],
  readers: Readonly<Record<string, RoleReader>>,
): Protocol['positions'] {
  const read = (role: string, facts: Facts): Reading => {
    const reader = readers[role];
    if (reader === undefined) throw new PositionUnclear(`nothing is known about databases of the role ${role}`);
    refuseOthers(reader, Object.values(readers), facts);
    return { status: 'known', role, identity: reader.identity(facts), counters: [...reader.counters(facts)] };
  };
  return { queries, read: (role, facts) => answerOf(() => read(role, facts)) };
}

function refuseOthers(reader: RoleReader, readers: readonly RoleReader[], facts: Facts): void {
  const { title, marks, mayHold = [], whenEmpty } = reader;
  const foreign = (mark: string) => !mayHold.includes(mark) && hasRows(facts, mark);
  const other = readers.find((each) => each !== reader && each.marks.some(foreign));
  const own = marks.some((mark) => hasRows(facts, mark));
  if (own && other !== undefined) throw new PositionUnclear(`the database has rows of ${title} and of ${other.title}`);
  if (other !== undefined) throw new WrongDatabase(`the database is that of ${other.title}, not of ${title}`);
  if (own || whenEmpty === 'doubt') return;
  if (![NODE_TABLE, ...marks].some((table) => hasTable(facts, table))) {
    throw new WrongDatabase(`the database has none of the tables of ${title}: it is empty, or of another kind`);
  }
  // A table or column that is missing here is doubt, and throws; only what can be read can be seen to be empty.
  for (const mark of marks) rowsOf(facts, mark);
  throw new WrongDatabase(`the database has the tables of ${title} and not one of its rows: it is empty`);
}
