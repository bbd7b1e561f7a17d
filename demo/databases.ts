import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import type { DemoParticipant } from './participant.ts';
import { PARTICIPANT_SCHEMA, VALIDATOR_APP_SCHEMA } from './schema.ts';

/** What the demo needs of a database; a PGlite is one as it is, a `Client` of `pg` through `sqlOf`. */
export interface Sql {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
  /** Several statements at once, without values. */
  exec(script: string): Promise<unknown>;
}

export const sqlOf = (client: Client): Sql => ({
  query: (text, values) => client.query(text, values),
  exec: (script) => client.query(script),
});

/** A toy validator's two databases. */
export interface DemoDatabases {
  readonly app: Sql;
  readonly participant: Sql;
}

export const MIGRATION_ID = 3;

/** The physical synchronizer as Canton names it: identifier, namespace, protocol version, serial. */
export const SYNCHRONIZER = `demo-synchronizer::1220${'5ca1ab1e'.repeat(8)}::34-0`;
/** Its index in the participant's database, where names of physical synchronizers have source 3. */
export const SYNCHRONIZER_INDEX = 1;

const HISTORY_EVENT_BYTES = 2048;
const HISTORY_EVERY_MICROSECONDS = 250_000;

/** Splice writes a participant's offset as 18 hex digits. */
export const hexOffset = (offset: bigint): string => offset.toString(16).padStart(18, '0');

/** Creates the tables of both databases, which are empty, and what a freshly onboarded validator has in them. */
export async function createDemoDatabases({ app, participant }: DemoDatabases, who: DemoParticipant): Promise<void> {
  await participant.exec(PARTICIPANT_SCHEMA);
  await participant.query('INSERT INTO common_node_id VALUES ($1, $2)', [who.identifier, who.namespace]);
  for (const { fingerprint, purpose, keyPair, name } of who.keys) {
    await participant.query('INSERT INTO common_crypto_private_keys VALUES ($1, NULL, $2, $3, $4)', [
      fingerprint,
      purpose === 'encryption' ? 1 : 0,
      keyPair,
      name,
    ]);
  }
  await participant.query('INSERT INTO common_static_strings (string, source) VALUES ($1, 3)', [SYNCHRONIZER]);
  await participant.query('INSERT INTO lapi_parameters (ledger_end, participant_id) VALUES (0, $1)', [
    `${who.identifier}::${who.namespace}`,
  ]);

  await app.exec(VALIDATOR_APP_SCHEMA);
  const party = `${who.identifier}::${who.namespace}`;
  await app.query('INSERT INTO validator.store_descriptors (descriptor) VALUES ($1)', [
    JSON.stringify({ name: 'DbValidatorStore', party, participant: who.id, version: 2 }),
  ]);
  await app.query('INSERT INTO validator.store_last_ingested_offsets VALUES (1, $1, $2)', [
    MIGRATION_ID,
    hexOffset(0n),
  ]);
  await app.query('INSERT INTO validator.update_history_descriptors (party, participant_id) VALUES ($1, $2)', [
    party,
    who.id,
  ]);
}

/**
 * Gives the participant `megabytes` of incompressible sequenced events from before `before`, so that a dump takes a
 * while. One statement a megabyte.
 */
export async function fillHistory(participant: Sql, megabytes: number, before: Date): Promise<void> {
  const rows = (1024 * 1024) / HISTORY_EVENT_BYTES;
  const start = BigInt(before.getTime()) * 1000n - BigInt(megabytes * rows * HISTORY_EVERY_MICROSECONDS);
  for (let done = 0; done < megabytes * rows; done += rows) {
    await participant.query(
      `INSERT INTO common_sequenced_events
       SELECT $1::int, substr($2::bytea, i * $3::int + 1, $3::int), 'del', $4::bigint + i * $5::int, $6::int + i, '', false
       FROM generate_series(0, $7::int - 1) AS i`,
      [
        SYNCHRONIZER_INDEX,
        randomBytes(1024 * 1024),
        HISTORY_EVENT_BYTES,
        String(start + BigInt(done * HISTORY_EVERY_MICROSECONDS)),
        HISTORY_EVERY_MICROSECONDS,
        done,
        rows,
      ],
    );
  }
}
