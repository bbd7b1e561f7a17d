import type { FactQuery } from '../../core/facts.ts';
import type { Law } from '../../core/positions.ts';
import type { Protocol } from '../protocol.ts';
import { cantonOrdering } from './ordering.ts';
import { NODE_TABLE, SEQUENCER_HEIGHT } from './positions.ts';
import { byRows } from './read.ts';
import { appReader, mediatorReader, ordererReader, participantReader, sequencerReader } from './roles.ts';

/** What tells how far a participant's ledger has got, and how far an app that reads it. */
export const LEDGER_QUERIES: readonly FactQuery[] = [
  { table: NODE_TABLE, columns: ['identifier', 'namespace'] },
  { table: 'lapi_parameters', columns: ['ledger_end', 'participant_id'] },
  { table: 'store_last_ingested_offsets', columns: ['migration_id'], max: 'last_ingested_offset' },
];

const SYNCHRONIZER_QUERIES: readonly FactQuery[] = [
  { table: 'common_static_strings', columns: ['id', 'string'] },
  { table: 'common_sequenced_events', columns: ['physical_synchronizer_idx'], max: 'ts' },
  { table: 'med_response_aggregations', columns: [], max: 'request_id' },
  { table: 'mediator_synchronizer_configuration', columns: ['physical_synchronizer_id'] },
  { table: 'sequencer_synchronizer_configuration', columns: ['physical_synchronizer_id'] },
  { table: 'seq_block_height', columns: [], max: 'latest_event_ts' },
  { table: 'seq_block_height', as: SEQUENCER_HEIGHT, columns: [], max: 'height' },
  { table: 'sequencer_watermarks', columns: [], max: 'watermark_ts' },
  { table: 'ord_metadata_output_blocks', columns: [], max: 'block_number' },
];

/** An app must not have seen what its participant, once restored, has never heard of. */
export const ingestedLaw = (app: string): Law => ({
  id: 'ingested-before-ledger-end',
  lower: { role: app, counter: 'ingested-offset' },
  upper: { role: 'participant', counter: 'ledger-end' },
  broken: 'a node restored from it starts and looks healthy, but its app has seen what its participant never did',
});

const sequencedLaw = (role: string): Law => ({
  id: `${role}-before-sequencer`,
  lower: { role, counter: 'sequenced-ts' },
  upper: { role: 'sequencer', counter: 'position' },
  broken: 'a restored sequencer would give other events the same place, and its members stop: the network has forked',
});

export const canton: Protocol = {
  ...cantonOrdering,
  laws: [
    ingestedLaw('app'),
    sequencedLaw('participant'),
    sequencedLaw('mediator'),
    {
      id: 'orderer-before-sequencer',
      lower: { role: 'cantonbft', counter: 'block-number' },
      upper: { role: 'sequencer', counter: 'block-height' },
      broken: 'the orderer was captured after its sequencer, against the order that its operators’ manual demands',
    },
  ],
  positions: byRows([...LEDGER_QUERIES, ...SYNCHRONIZER_QUERIES], {
    app: appReader,
    participant: participantReader,
    mediator: mediatorReader,
    sequencer: sequencerReader,
    cantonbft: ordererReader,
  }),
  sameIdentity: [],
  restore: {
    maxAgeDays: 30,
    maxAgeReason:
      'stated policy: a synchronizer commonly prunes its sequencers after 30 days, and who is further behind cannot ' +
      'catch up (no endpoint tells the horizon)',
    loses: [
      'everything that happened after the capture and is not on a sequencer that still holds it',
      'local configuration since then: synchronizer connections, users, uploaded packages, repairs, party replication',
      'rights that were granted to other roles on what is inside the databases (GRANT): all of it belongs to their owners',
      'rejections that were not yet delivered; ledger offsets may differ from those before',
    ],
    after: [
      'Keep the old node off for good: a second live copy of a node is not reliably refused by the network.',
      'Do not submit commands again until a synchronizer time later than the stop plus the ledger-time tolerance is seen.',
      'Make again what was configured since the capture: synchronizer connections, users, packages.',
      'With KMS: register the keys made since the capture (register_kms_signing_key, register_kms_encryption_key).',
      'Reset applications to the restored offsets, or let them skip by record time for each synchronizer.',
      'Read the body of /health, and ping: its status stays 200 for seconds before a forked node crashes.',
    ],
  },
  everyHours: 4,
};
