import type { Facts } from '../../core/facts.ts';
import type { Counter } from '../../core/positions.ts';
import {
  ingestedOffset,
  ledgerEnd,
  nodeId,
  ordererBlock,
  participantId,
  sequencedEvents,
  sequencerPosition,
} from './positions.ts';

/** How the database of one role is told from the others, and what it says. */
export interface RoleReader {
  /** For messages: `a participant`. */
  readonly title: string;
  /** Tables, by their name in the facts, that have rows in this role's database only. */
  readonly marks: readonly string[];
  /** Marks of another role that do no harm in this one's database. */
  readonly mayHold?: readonly string[];
  /** An empty database is surely a mistake, or it may be a node that has just been set up, or one we cannot know. */
  readonly whenEmpty: 'refuse' | 'doubt';
  readonly identity: (facts: Facts) => string | null;
  readonly counters: (facts: Facts) => readonly Counter[];
}

export const appReader: RoleReader = {
  title: 'an app of Splice',
  marks: ['store_last_ingested_offsets'],
  whenEmpty: 'doubt',
  identity: () => null,
  counters: (facts) => [ingestedOffset(facts)],
};

/** As the ledger API sees it: all that an app can be compared with. */
export const ledgerReader: RoleReader = {
  title: 'a participant',
  marks: ['lapi_parameters'],
  whenEmpty: 'refuse',
  identity: participantId,
  counters: (facts) => [ledgerEnd(facts)],
};

export const participantReader: RoleReader = {
  ...ledgerReader,
  counters: (facts) => [ledgerEnd(facts), ...sequencedEvents(facts)],
};

export const mediatorReader: RoleReader = {
  title: 'a mediator',
  marks: ['med_response_aggregations', 'mediator_synchronizer_configuration'],
  whenEmpty: 'refuse',
  identity: (facts) => nodeId('MED', facts),
  counters: sequencedEvents,
};

export const sequencerReader: RoleReader = {
  title: 'a sequencer',
  marks: ['seq_block_height', 'sequencer_watermarks', 'sequencer_synchronizer_configuration'],
  mayHold: ['ord_metadata_output_blocks'],
  whenEmpty: 'refuse',
  identity: (facts) => nodeId('SEQ', facts),
  counters: sequencerPosition,
};

/** The orderer with a storage of its own. Without one, its blocks lie in its sequencer's database. */
export const ordererReader: RoleReader = {
  title: 'a BFT orderer',
  marks: ['ord_metadata_output_blocks'],
  whenEmpty: 'doubt',
  identity: () => null,
  counters: ordererBlock,
};
