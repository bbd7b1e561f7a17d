import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../core/facts.ts';
import { judge } from '../../../core/positions.ts';
import { canton } from '../../../protocols/canton/canton.ts';
import { behavesLikeAProtocol } from '../../conformance/behaves-like-a-protocol.ts';
import { CANTON_ROLES, inSchema, ledgerFacts, recordedFacts, rows } from '../../support/canton-facts.ts';

const { participant, mediator, sequencer } = recordedFacts('a');
const empty: Facts = Object.fromEntries(canton.positions.queries.map(({ as, table }) => [as ?? table, rows()]));
const orderer: Facts = { ...empty, ord_metadata_output_blocks: rows({ block_number: '231' }) };
const app: Facts = {
  ...Object.fromEntries(Object.keys(empty).map((table) => [table, []])),
  store_last_ingested_offsets: rows({ migration_id: '0', last_ingested_offset: '0000000000000000e0' }),
};
const read = (role: string, facts: Facts) => canton.positions.read(role, facts);

behavesLikeAProtocol(canton, { app, participant, mediator, sequencer, cantonbft: orderer });

function verdictOf(set: 'a' | 'b') {
  const facts = recordedFacts(set);
  const readings = CANTON_ROLES.flatMap((role) => {
    const reading = read(role, facts[role]);
    return reading.status === 'refused' ? [] : [{ component: role, role, reading }];
  });
  return judge({ laws: canton.laws, sameIdentity: canton.sameIdentity, readings });
}

describe('a recorded network', () => {
  test('dumped in the right order is proven, on the physical synchronizer that both sides name', () => {
    expect(verdictOf('a')).toMatchObject({
      status: 'proven',
      comparisons: [
        {
          law: 'participant-before-sequencer',
          difference: '-1191820',
          scope: expect.stringMatching(/^ledgerhold::.*::35-0$/),
        },
        { law: 'mediator-before-sequencer', difference: '-591416' },
      ],
    });
  });

  test('dumped sequencer first is violated, and both times are named', () => {
    const verdict = verdictOf('b');
    expect(verdict).toMatchObject({
      status: 'violated',
      comparisons: [{ difference: '5569876' }, { difference: '5459436' }],
    });
    expect(verdict).toHaveProperty('violations.0', expect.stringContaining('5.569876 s ahead'));
    expect(verdict).toHaveProperty(
      'violations.0',
      expect.stringContaining('1795245965459317, 2026-11-21T07:26:05.459317Z'),
    );
    expect(verdict).toHaveProperty(
      'violations.0',
      expect.stringContaining('1795245959889441, 2026-11-21T07:25:59.889441Z'),
    );
  });

  test('says who each node is', () => {
    const identities = CANTON_ROLES.map((role) => read(role, recordedFacts('a')[role])).map((reading) =>
      reading.status === 'known' ? reading.identity?.replace(/::1220[0-9a-f]{64}$/, '') : reading.status,
    );
    expect(identities).toEqual(['PAR::participant1', 'MED::mediator1', 'SEQ::sequencer1']);
  });
});

describe('which database it is', () => {
  test('is told by rows, since every node has the tables of all', () => {
    expect(read('participant', mediator)).toEqual({
      status: 'refused',
      reason: 'the database is that of a mediator, not of a participant',
    });
    expect(read('cantonbft', sequencer)).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('and of a sequencer'),
    });
  });

  test.each(['participant', 'mediator', 'sequencer'])('without one row of a %s it is refused as empty', (role) => {
    expect(read(role, empty)).toMatchObject({ status: 'refused', reason: expect.stringContaining('empty') });
    expect(read(role, {})).toMatchObject({ status: 'refused', reason: expect.stringContaining('none of the tables') });
  });

  test('rows of two roles are doubt', () => {
    const both = { ...participant, med_response_aggregations: rows({ request_id: '1' }) };
    expect(read('participant', both)).toEqual({
      status: 'unknown',
      reason: 'the database has rows of a participant and of a mediator',
    });
  });

  test('an app whose tables nobody knows is unknown', () => {
    expect(read('app', {})).toEqual({ status: 'unknown', reason: 'no schema has a table store_last_ingested_offsets' });
  });
});

describe('a position', () => {
  test('of a sequencer without blocks is its watermark', () => {
    const facts = { ...sequencer, seq_block_height: rows(), 'seq_block_height.height': rows({ height: null }) };
    expect(read('sequencer', facts)).toMatchObject({
      status: 'known',
      counters: [{ name: 'position', value: '1795245951542327', source: 'sequencer_watermarks.watermark_ts' }],
    });
  });

  test('is unknown where a synchronizer has no name, two names are one, or nothing tells which it is', () => {
    const strings = (...ids: string[]) => rows(...ids.map((id) => ({ id, string: 'sync::1220ab::35-0' })));
    const events = rows({ physical_synchronizer_idx: '2', ts: '5' }, { physical_synchronizer_idx: '3', ts: '6' });
    const unclear = (facts: Facts, reason: string) =>
      expect(read('participant', { ...participant, ...facts })).toMatchObject({ status: 'unknown', reason });
    unclear({ common_static_strings: strings('1') }, 'common_static_strings does not name synchronizer 2');
    unclear(
      { common_static_strings: strings('2', '3'), common_sequenced_events: events },
      'common_sequenced_events counts events of sync::1220ab::35-0 twice',
    );
    expect(read('sequencer', { ...sequencer, sequencer_synchronizer_configuration: rows() })).toMatchObject({
      status: 'unknown',
      reason: 'table sequencer_synchronizer_configuration is empty',
    });
  });

  test('that is no number is named, and so are two schemas that disagree', () => {
    expect(read('participant', ledgerFacts('12e3'))).toMatchObject({
      status: 'unknown',
      reason: 'lapi_parameters.ledger_end is "12e3", not a whole number',
    });
    const [mine, other] = [ledgerFacts('7')['lapi_parameters'] ?? [], ledgerFacts('8')['lapi_parameters'] ?? []];
    const elsewhere = inSchema('old', ...other.flatMap((answer) => (answer.status === 'rows' ? answer.rows : [])));
    expect(read('participant', ledgerFacts('7', { lapi_parameters: [...mine, ...elsewhere] }))).toMatchObject({
      status: 'unknown',
      reason: 'schemas public and old disagree about lapi_parameters',
    });
  });

  test('of a participant that is another node than its database says is unknown', () => {
    const facts = ledgerFacts('7', {
      common_node_id: rows({ identifier: 'other', namespace: `1220${'ab'.repeat(32)}` }),
    });
    expect(read('participant', facts)).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('PAR::other'),
    });
  });
});
