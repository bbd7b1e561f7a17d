import type { Facts } from '../../core/facts.ts';
import type { Reading } from '../../core/positions.ts';
import type { Protocol } from '../protocol.ts';
import { answerOf, hasTable, PositionUnclear, rowsOf, WrongDatabase, wholeIn } from '../tables.ts';
import { tesseraOrdering } from './ordering.ts';

/** Tables that every version has had since it could sign outside of the node; PostgreSQL folds their names. */
const PAYLOADS = 'encrypted_transaction';
const RAW_PAYLOADS = 'encrypted_raw_transaction';

/**
 * The private transaction manager beside a GoQuorum node. Nothing in its database names a block, so that no law of numbers
 * binds it to the chain: what its set covers follows from when it was taken, which its notes say.
 */
export const tessera: Protocol = {
  ...tesseraOrdering,
  laws: [],
  positions: {
    queries: [
      { table: PAYLOADS, columns: [], max: 'timestamp' },
      { table: RAW_PAYLOADS, columns: [], max: 'timestamp' },
    ],
    read: (role, facts) => answerOf(() => readingOf(role, facts)),
  },
  sameIdentity: [],
  restore: {
    maxAgeDays: 365,
    maxAgeReason:
      'our own policy: nothing in Tessera is ever pruned, but payloads since the set come from their parties only',
    loses: [
      'payloads that arrived after the capture: the other parties’ Tesseras still hold theirs',
      'deletions since the capture: payloads that were deleted on purpose are back',
      'Tessera’s keys, which are in its configuration or a key vault: without them no payload can be opened',
    ],
    after: [
      'Put Tessera’s keys and configuration into place, and start it before the node: the node asks it while it imports.',
      'Name its socket in PRIVATE_CONFIG for the import of the chain; with PRIVATE_CONFIG=ignore private state is not made.',
      'Delete again what had been deleted on purpose since the capture.',
      'For blocks after the one that the set covers, let Tessera fetch its payloads from the other parties (its recovery mode).',
    ],
  },
  everyHours: 6,
};

function readingOf(role: string, facts: Facts): Reading {
  if (role !== 'tessera') throw new PositionUnclear(`nothing is known about databases of the role ${role}`);
  if (![PAYLOADS, RAW_PAYLOADS].some((table) => hasTable(facts, table))) {
    throw new WrongDatabase('the database has none of the tables of Tessera: it is empty, or of another kind');
  }
  // Asked for its columns alone: a table that is not as expected is doubt.
  rowsOf(facts, RAW_PAYLOADS);
  const [newest] = rowsOf(facts, PAYLOADS);
  if (newest === undefined) throw new PositionUnclear(`${PAYLOADS} has no row with a timestamp: no payload is in it`);
  // Milliseconds since 1970 by Tessera's clock. No law compares them; a deep proof finds the same in the dump.
  const value = wholeIn(newest, PAYLOADS, 'timestamp');
  const source = `${PAYLOADS}.timestamp`;
  return {
    status: 'known',
    role,
    identity: null,
    counters: [{ name: 'newest-payload', unit: 'offset', value, source }],
  };
}
