import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../core/positions.ts';
import { readDump } from '../../../io/postgres/dump-reader.ts';
import { canton } from '../../../protocols/canton/canton.ts';
import { splice } from '../../../protocols/splice/splice.ts';
import { CANTON_ROLES, type CantonRole, recordedFacts } from '../../support/canton-facts.ts';

const fixtures = process.env['LEDGERHOLD_FIXTURES'];
const folder = join(fixtures ?? '', 'canton');
const whenRecorded = fixtures === undefined ? describe.skip : describe;

const factsOf = async (dump: string, { positions } = canton) =>
  (await readDump('pg_dump-custom', createReadStream(join(folder, dump)), positions.queries)).facts;

async function readingOf(set: string, role: CantonRole) {
  const reading = canton.positions.read(role, await factsOf(`${set}-${role}.dump`));
  if (reading.status !== 'known') throw new Error(`${set}-${role}: ${reading.reason}`);
  return { component: role, role, reading };
}

/** What was read from the same dumps by other means, in microseconds; the numbers are below 2^53. */
interface Recorded {
  readonly participant: { sequenced_events_max_ts_us: number; lapi_parameters: { ledger_end: string } };
  readonly mediator: { sequenced_events_max_ts_us: number };
  readonly sequencer: { block_latest_event_max_ts_us: number; block_height_max: number };
  readonly verdict: { participant_minus_sequencer_us: number; mediator_minus_sequencer_us: number; forked: boolean };
}

whenRecorded(
  `recorded dumps of a Canton network${fixtures === undefined ? ' (LEDGERHOLD_FIXTURES is not set)' : ''}`,
  () => {
    test.each(['a', 'b'])('set %s has the positions that were recorded with it, and their verdict', async (set) => {
      const recorded: Recorded = JSON.parse(readFileSync(join(folder, 'positions.json'), 'utf8'))[set];
      const readings = await Promise.all(CANTON_ROLES.map((role) => readingOf(set, role)));
      const values = readings.map(({ reading }) => reading.counters.map(({ name, value }) => [name, value]));
      expect(values).toEqual([
        [
          ['ledger-end', recorded.participant.lapi_parameters.ledger_end],
          ['sequenced-ts', String(recorded.participant.sequenced_events_max_ts_us)],
        ],
        [['sequenced-ts', String(recorded.mediator.sequenced_events_max_ts_us)]],
        [
          ['position', String(recorded.sequencer.block_latest_event_max_ts_us)],
          ['block-height', String(recorded.sequencer.block_height_max)],
        ],
      ]);
      const verdict = judge({ laws: canton.laws, sameIdentity: canton.sameIdentity, readings });
      const { participant_minus_sequencer_us, mediator_minus_sequencer_us, forked } = recorded.verdict;
      expect(verdict.status).toBe(forked ? 'violated' : 'proven');
      expect(verdict.comparisons.map(({ difference }) => difference)).toEqual(
        [participant_minus_sequencer_us, mediator_minus_sequencer_us].map(String),
      );
    });

    test.each(['a', 'b'] as const)('the facts that lie beside the tests are those of set %s', async (set) => {
      const facts = await Promise.all(CANTON_ROLES.map(async (role) => [role, await factsOf(`${set}-${role}.dump`)]));
      expect(Object.fromEntries(facts)).toEqual(recordedFacts(set));
    });

    test("a validator's empty schema is unknown as an app, and no participant at all", async () => {
      const facts = await factsOf('validator-splice-0.4.15-EMPTY.dump', splice);
      expect(splice.positions.read('validator-app', facts)).toMatchObject({ status: 'unknown' });
      expect(splice.positions.read('participant', facts)).toMatchObject({ status: 'refused' });
    });

    test('a participant of the network is read as a validator’s too', async () => {
      const facts = await factsOf('a-participant.dump', splice);
      expect(splice.positions.read('participant', facts)).toMatchObject({
        status: 'known',
        identity: expect.stringMatching(/^PAR::participant1::1220/),
        counters: [{ name: 'ledger-end', value: '224' }],
      });
    });
  },
);
