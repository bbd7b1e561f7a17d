import type { Facts } from '../../core/facts.ts';
import type { Counter } from '../../core/positions.ts';
import type { Protocol } from '../protocol.ts';
import { answerOf, onlyRow, WrongDatabase, wholeIn } from '../tables.ts';

/**
 * A ledger to copy from: a node, and an indexer that reads from it. Copy the folder, say in data what can be said in
 * data, add the protocol to `registry.ts`, and hold it to `test/conformance/behaves-like-a-protocol.ts`.
 */
export const template: Protocol = {
  name: 'template',
  title: 'Template ledger',
  // A component's role is its name, unless the configuration says otherwise.
  roles: {
    indexer: { kind: 'database', holds: 'what it has read from the node', required: false },
    node: { kind: 'database', holds: 'the ledger', required: true },
  },
  // Who reads comes before whom it reads from: what the reader knows must be in the other's, later, capture.
  order: [['indexer', 'node']],
  orderReason: 'the indexer may not know blocks that the restored node has never seen',
  // The same once more in numbers, so that the order is not only followed but proven from what was captured.
  laws: [
    {
      id: 'indexed-before-height',
      lower: { role: 'indexer', counter: 'indexed' },
      upper: { role: 'node', counter: 'height' },
      broken: 'the indexer has seen blocks that the restored node has not',
    },
  ],
  positions: {
    // Every database of the node is asked all of this, by SQL in the snapshot of the dump or out of the dump itself.
    queries: [
      { table: 'blocks', columns: [], max: 'number' },
      { table: 'indexer_cursor', columns: ['block'] },
    ],
    // Doubt throws `PositionUnclear` and reads as unknown; what is surely wrong throws `WrongDatabase`.
    read: (role, facts) =>
      answerOf(() => ({ status: 'known', role, identity: null, counters: [COUNTERS[role]?.(facts) ?? refuse(role)] })),
  },
  sameIdentity: [],
  restore: {
    maxAgeDays: 365,
    maxAgeReason: 'nothing in this ledger is ever pruned; a year is our own policy',
    loses: ['nothing that its peers still have'],
    after: ['Start the node and let it catch up before the indexer starts.'],
  },
  everyHours: 24,
};

const COUNTERS: Readonly<Record<string, (facts: Facts) => Counter>> = {
  node: counter('height', 'blocks', 'number'),
  indexer: counter('indexed', 'indexer_cursor', 'block'),
};

function counter(name: string, table: string, column: string): (facts: Facts) => Counter {
  return (facts) => ({
    ...{ name, unit: 'block', source: `${table}.${column}` },
    value: wholeIn(onlyRow(facts, table), table, column),
  });
}

function refuse(role: string): never {
  throw new WrongDatabase(`a ${role} has no database`);
}
