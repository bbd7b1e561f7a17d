import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DemoDatabases,
  hexOffset,
  MIGRATION_ID,
  type Sql,
  SYNCHRONIZER,
  SYNCHRONIZER_INDEX,
} from './databases.ts';

export interface LoadOptions extends DemoDatabases {
  readonly updatesPerSecond: number;
  readonly now: () => Date;
}

/** Work going on in a toy validator: what the app has ingested, the participant had committed before. */
export interface CausalLoad {
  /** The participant's ledger end, as last committed. */
  readonly ledgerEnd: bigint;
  /** The newest offset that the app has ingested, as last committed. */
  readonly ingested: bigint;
  /** Resolves once the app has ingested `offset`; rejects if the load has ended, with its error if that is why. */
  until(offset: bigint): Promise<void>;
  /** Stands still while `work` runs: for a database that can do one thing at a time. */
  standingStill<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the load after the update at hand; rejects if it had failed. May be called again. */
  stop(): Promise<void>;
}

interface Position {
  offset: bigint;
  /** Microseconds since 1970 of the newest sequenced event. */
  ts: bigint;
  sequencerCounter: bigint;
}

/** Begins where the databases stand. Each update is two commits, the participant's first. */
export async function startCausalLoad(options: LoadOptions): Promise<CausalLoad> {
  const at = await positionOf(options.participant);
  const progress = { ledgerEnd: at.offset, ingested: at.offset };
  const abort = new AbortController();
  const alone = oneAtATime();
  const ended = keepGoing(options, abort.signal, () => alone(() => update(options, at, progress)));
  // Whoever waits hears of a failure; nobody need wait.
  ended.catch(() => {});
  return {
    get ledgerEnd() {
      return progress.ledgerEnd;
    },
    get ingested() {
      return progress.ingested;
    },
    async until(offset) {
      while (progress.ingested < offset) {
        const over = await Promise.race([ended.then(() => true), sleep(5, false)]);
        if (over && progress.ingested < offset) throw new Error(`the load ended before ${offset}`);
      }
    },
    standingStill: alone,
    stop() {
      abort.abort();
      return ended;
    },
  };
}

/** Runs pieces of work one after the other, in the order in which they came. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

async function keepGoing({ updatesPerSecond, now }: LoadOptions, signal: AbortSignal, work: () => Promise<void>) {
  const started = now().getTime();
  for (let updates = 1; !signal.aborted; updates += 1) {
    await work();
    const early = started + (updates * 1000) / updatesPerSecond - now().getTime();
    await sleep(Math.max(0, early), undefined, { signal }).catch(() => {});
  }
}

async function update(
  { app, participant, now }: LoadOptions,
  at: Position,
  progress: { ledgerEnd: bigint; ingested: bigint },
): Promise<void> {
  const instant = BigInt(now().getTime()) * 1000n;
  at.offset += 1n;
  at.sequencerCounter += 1n;
  at.ts = instant > at.ts ? instant : at.ts + 1n;
  const updateId = randomBytes(32);
  await commitToLedger(participant, at, updateId);
  progress.ledgerEnd = at.offset;
  await ingest(app, at, updateId);
  progress.ingested = at.offset;
}

/** One statement, hence one commit: the event, what it meant, and the ledger end that makes it visible. */
async function commitToLedger(participant: Sql, { offset, ts, sequencerCounter }: Position, updateId: Uint8Array) {
  await participant.query(
    `WITH event AS (
       INSERT INTO common_sequenced_events VALUES ($1, $2, 'del', $3, $4, '', false)
     ), meta AS (
       INSERT INTO lapi_update_meta VALUES ($5, $6, $3, $3, $1, $6, $6, NULL)
     )
     UPDATE lapi_parameters SET ledger_end = $6, ledger_end_sequential_id = $6, ledger_end_publication_time = $3`,
    [SYNCHRONIZER_INDEX, randomBytes(512), String(ts), String(sequencerCounter), updateId, String(offset)],
  );
}

async function ingest(app: Sql, { offset, ts }: Position, updateId: Uint8Array) {
  await app.query(
    `WITH history AS (
       INSERT INTO validator.update_history_transactions
         (history_id, update_id, record_time, participant_offset, domain_id, migration_id, effective_at, root_event_ids)
       VALUES (1, $1, $2, $3, $4, $5, $2, '{}')
     )
     UPDATE validator.store_last_ingested_offsets SET last_ingested_offset = $3 WHERE migration_id = $5`,
    [
      Buffer.from(updateId).toString('hex'),
      String(ts),
      hexOffset(offset),
      SYNCHRONIZER.replace(/::34-0$/, ''),
      MIGRATION_ID,
    ],
  );
}

async function positionOf(participant: Sql): Promise<Position> {
  const { rows } = await participant.query(
    `SELECT (SELECT ledger_end FROM lapi_parameters)::text AS "offset",
       coalesce(max(ts), 0)::text AS ts, coalesce(max(sequencer_counter), -1)::text AS counter
     FROM common_sequenced_events`,
  );
  const row = rows[0] as { offset: string; ts: string; counter: string };
  return { offset: BigInt(row.offset), ts: BigInt(row.ts), sequencerCounter: BigInt(row.counter) };
}
