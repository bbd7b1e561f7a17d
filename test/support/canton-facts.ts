import { readFileSync } from 'node:fs';
import type { FactAnswer, FactRow, Facts } from '../../core/facts.ts';

export const CANTON_ROLES = ['participant', 'mediator', 'sequencer'] as const;
export type CantonRole = (typeof CANTON_ROLES)[number];

/** What the databases of a recorded Canton network answered; see `test/fixtures/canton/README.md`. */
export function recordedFacts(set: 'a' | 'b'): Readonly<Record<CantonRole, Facts>> {
  return JSON.parse(readFileSync(new URL(`../fixtures/canton/set-${set}.json`, import.meta.url), 'utf8'));
}

export const rows = (...given: FactRow[]): FactAnswer[] => inSchema('public', ...given);
export const inSchema = (schema: string, ...given: FactRow[]): FactAnswer[] => [
  { schema, status: 'rows', rows: given },
];

const NAMESPACE = `1220${'ab'.repeat(32)}`;
export const VALIDATOR_ID = `PAR::validator::${NAMESPACE}`;

/** A participant of a Splice validator. */
export const ledgerFacts = (ledgerEnd: string | null, more: Facts = {}): Facts => ({
  common_node_id: rows({ identifier: 'validator', namespace: NAMESPACE }),
  lapi_parameters: rows({ ledger_end: ledgerEnd, participant_id: `validator::${NAMESPACE}` }),
  store_last_ingested_offsets: [],
  ...more,
});

/** The app's side, with one store's newest offset by migration. */
export const appFacts = (...offsets: readonly (readonly [migration: string, offset: string | null])[]): Facts => ({
  common_node_id: [],
  lapi_parameters: [],
  store_last_ingested_offsets: rows(
    ...offsets.map(([migration_id, last_ingested_offset]) => ({ migration_id, last_ingested_offset })),
  ),
});

/** As Splice's stores write an offset. */
export const offsetText = (offset: bigint): string => offset.toString(16).padStart(18, '0');
