import type { FactRow, Facts } from '../../core/facts.ts';
import type { Counter } from '../../core/positions.ts';
import {
  onlyRow,
  PositionUnclear,
  rowsOf,
  rowsOfAllSchemas,
  shown,
  textIn,
  WrongDatabase,
  wholeIn,
} from '../tables.ts';

/** `PAR::name::1220…` from either spelling; only the node's own tables leave the prefix out. */
function memberId(prefix: 'PAR' | 'MED' | 'SEQ', id: string, source: string): string {
  const bare = id.startsWith(`${prefix}::`) ? id.slice(prefix.length + 2) : id;
  if (!/^.+::1220[0-9a-f]{64}$/.test(bare)) {
    throw new PositionUnclear(`${source} is ${shown(id)}, not name::1220 and 64 hexadecimal digits`);
  }
  return `${prefix}::${bare}`;
}

/** Every node of Canton has this table, whatever its role. */
export const NODE_TABLE = 'common_node_id';

export function nodeId(prefix: 'PAR' | 'MED' | 'SEQ', facts: Facts): string {
  const row = onlyRow(facts, NODE_TABLE);
  const id = `${textIn(row, NODE_TABLE, 'identifier')}::${textIn(row, NODE_TABLE, 'namespace')}`;
  return memberId(prefix, id, NODE_TABLE);
}

/** The participant as its ledger API knows it, which must be the node that the rest of the database belongs to. */
export function participantId(facts: Facts): string {
  const table = 'lapi_parameters';
  const ledger = memberId('PAR', textIn(onlyRow(facts, table), table, 'participant_id'), `${table}.participant_id`);
  const node = nodeId('PAR', facts);
  if (ledger !== node) throw new PositionUnclear(`lapi_parameters names ${ledger}, but common_node_id ${node}`);
  return ledger;
}

export function ledgerEnd(facts: Facts): Counter {
  const [table, column] = ['lapi_parameters', 'ledger_end'];
  const row = onlyRow(facts, table);
  if (row[column] === null) throw new WrongDatabase('the participant is empty: its ledger_end is null');
  return { name: 'ledger-end', value: wholeIn(row, table, column), unit: 'offset', source: `${table}.${column}` };
}

/** By physical synchronizer: the newest event that this node has received from its sequencer. */
export function sequencedEvents(facts: Facts): readonly Counter[] {
  const table = 'common_sequenced_events';
  const names = synchronizerNames(facts);
  const counters = rowsOf(facts, table).map((row): Counter => {
    const index = wholeIn(row, table, 'physical_synchronizer_idx');
    const scope = names.get(index);
    if (scope === undefined) throw new PositionUnclear(`common_static_strings does not name synchronizer ${index}`);
    const value = wholeIn(row, table, 'ts');
    return { name: 'sequenced-ts', scope, value, unit: 'microseconds', source: `${table}.ts` };
  });
  const twice = counters.find(({ scope }, i) => counters.findIndex((other) => other.scope === scope) !== i);
  if (twice !== undefined) throw new PositionUnclear(`${table} counts events of ${twice.scope} twice`);
  return counters;
}

function synchronizerNames(facts: Facts): ReadonlyMap<string, string> {
  const table = 'common_static_strings';
  const named = (row: FactRow) => [wholeIn(row, table, 'id'), textIn(row, table, 'string')] as const;
  return new Map(rowsOf(facts, table).map(named));
}

/** What the sequencer lets its readers see. The height is there to be compared with the orderer's. */
export function sequencerPosition(facts: Facts): readonly Counter[] {
  const configuration = 'sequencer_synchronizer_configuration';
  const scope = textIn(onlyRow(facts, configuration), configuration, 'physical_synchronizer_id');
  const [block] = rowsOf(facts, 'seq_block_height');
  const [watermark] = rowsOf(facts, 'sequencer_watermarks');
  const [row, table, column] =
    block === undefined
      ? ([watermark, 'sequencer_watermarks', 'watermark_ts'] as const)
      : ([block, 'seq_block_height', 'latest_event_ts'] as const);
  if (row === undefined) throw new PositionUnclear('seq_block_height and sequencer_watermarks are both empty');
  const source = `${table}.${column}`;
  return [
    { name: 'position', scope, value: wholeIn(row, table, column), unit: 'microseconds', source },
    ...rowsOf(facts, SEQUENCER_HEIGHT).map((height) =>
      blockCounter('block-height', height, 'seq_block_height', 'height'),
    ),
  ];
}

/** The facts' name for the second question to `seq_block_height`. */
export const SEQUENCER_HEIGHT = 'seq_block_height.height';

/** How far the orderer's own storage has got. */
export const ordererBlock = (facts: Facts): readonly Counter[] => {
  const [table, column] = ['ord_metadata_output_blocks', 'block_number'];
  return rowsOf(facts, table).map((row) => blockCounter('block-number', row, table, column));
};

const blockCounter = (name: string, row: FactRow, table: string, column: string): Counter => ({
  ...{ name, value: wholeIn(row, table, column), unit: 'block', source: `${table}.${column}` },
});

/** The newest offset of the newest migration, over every store of every app in the database. */
export function ingestedOffset(facts: Facts): Counter {
  const [table, column] = ['store_last_ingested_offsets', 'last_ingested_offset'];
  const migrationOf = (row: FactRow) => BigInt(wholeIn(row, table, 'migration_id'));
  const rows = rowsOfAllSchemas(facts, table);
  const newest = largest(rows.map(migrationOf));
  const offset = largest(
    rows
      // A store that has ingested nothing yet has no offset.
      .filter((row) => migrationOf(row) === newest && row[column] !== null)
      .map((row) => offsetOf(textIn(row, table, column), `${table}.${column}`)),
  );
  if (offset === undefined) throw new PositionUnclear(`${table} holds no offset: the app has ingested nothing yet`);
  return { name: 'ingested-offset', value: String(offset), unit: 'offset', source: `${table}.${column}` };
}

const largest = (values: readonly bigint[]): bigint | undefined =>
  values.reduce<bigint | undefined>((max, value) => (max === undefined || value > max ? value : max), undefined);

/** Splice's stores write a ledger offset as text: hexadecimal, padded with zeros to nine bytes. */
function offsetOf(text: string, source: string): bigint {
  if (!/^[0-9a-f]{18}$/.test(text)) throw new PositionUnclear(`${source} is ${shown(text)}, not 18 hexadecimal digits`);
  return BigInt(`0x${text}`);
}
