import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Facts } from '../../../core/facts.ts';
import { judge, type Reading } from '../../../core/positions.ts';
import { splice } from '../../../protocols/splice/splice.ts';
import { behavesLikeAProtocol } from '../../conformance/behaves-like-a-protocol.ts';
import { appFacts, inSchema, ledgerFacts, offsetText, rows, VALIDATOR_ID } from '../../support/canton-facts.ts';

behavesLikeAProtocol(splice, {
  'validator-app': appFacts(['4', offsetText(65n)]),
  participant: ledgerFacts('66'),
});

const known = (role: string, facts: Facts): Reading => {
  const reading = splice.positions.read(role, facts);
  if (reading.status === 'refused') throw new Error(reading.reason);
  return reading;
};
const judged = (app: Facts, participant: Facts, id = VALIDATOR_ID) =>
  judge({
    laws: splice.laws,
    sameIdentity: splice.sameIdentity,
    readings: [
      {
        component: 'identities',
        role: 'identities',
        reading: { status: 'known', role: 'identities', identity: id, counters: [] },
      },
      { component: 'validator-app', role: 'validator-app', reading: known('validator-app', app) },
      { component: 'participant', role: 'participant', reading: known('participant', participant) },
    ],
  });

describe('a validator', () => {
  test('whose app is ahead of its participant by one is violated, in numbers', () => {
    const verdict = judged(appFacts(['4', offsetText(66n)]), ledgerFacts('65'));
    expect(verdict).toMatchObject({ status: 'violated', comparisons: [{ difference: '1' }] });
    const text = 'validator-app (ingested-offset 66) is 1 ahead of participant (ledger-end 65)';
    expect(verdict).toHaveProperty('violations.0', expect.stringContaining(text));
  });

  test('whose identities are of another participant is violated, and both are named', () => {
    const verdict = judged(
      appFacts(['4', offsetText(1n)]),
      ledgerFacts('1'),
      VALIDATOR_ID.replace('validator', 'other'),
    );
    expect(verdict).toHaveProperty(
      'violations.0',
      expect.stringMatching(/^identities belongs to PAR::other.*PAR::validator/),
    );
  });

  test('is proven exactly when no offset of the newest migration, in any schema, is past the ledger end', () => {
    const offset = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    const stores = fc.array(fc.tuple(fc.nat(2), offset), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(stores, stores, offset, (here, there, end) => {
        const newest = Math.max(...[...here, ...there].map(([migration]) => migration));
        const holds = [...here, ...there].every(([migration, value]) => migration < newest || value <= end);
        const facts = (schema: string, given: typeof here) =>
          inSchema(schema, ...given.map(([m, o]) => ({ migration_id: `${m}`, last_ingested_offset: offsetText(o) })));
        const app = {
          ...appFacts(),
          store_last_ingested_offsets: [...facts('app', here), ...facts('splitwell', there)],
        };
        expect(judged(app, ledgerFacts(String(end))).status).toBe(holds ? 'proven' : 'violated');
      }),
    );
  });
});

describe('its app', () => {
  const readWith = (...offsets: readonly (readonly [string, string | null])[]) =>
    splice.positions.read('validator-app', appFacts(...offsets));

  test('that has ingested nothing yet is unknown', () => {
    const nothing = { status: 'unknown', reason: expect.stringContaining('has ingested nothing yet') };
    expect(readWith()).toMatchObject(nothing);
    expect(readWith(['4', null])).toMatchObject(nothing);
    expect(readWith(['3', offsetText(9n)], ['4', null])).toMatchObject(nothing);
  });

  test.each(['42', `0x${'0'.repeat(16)}`, offsetText(10n).toUpperCase(), `${offsetText(1n)}0`, ''])(
    'that writes an offset as %j is unknown',
    (text) => expect(readWith(['4', text]).status).toBe('unknown'),
  );

  test('is not looked for in the database of its participant, nor the other way round', () => {
    expect(splice.positions.read('validator-app', ledgerFacts('7'))).toMatchObject({ status: 'refused' });
    expect(splice.positions.read('participant', appFacts(['4', offsetText(7n)]))).toMatchObject({ status: 'refused' });
  });
});

describe('its participant', () => {
  test('that is empty is refused: it would start healthy', () => {
    const reasons = [ledgerFacts(null), ledgerFacts('7', { lapi_parameters: rows() }), {}].map((facts) =>
      splice.positions.read('participant', facts),
    );
    for (const answer of reasons)
      expect(answer).toMatchObject({ status: 'refused', reason: expect.stringContaining('empty') });
  });

  test('is named with its prefix, whether or not the database writes it', () => {
    expect(splice.positions.read('participant', ledgerFacts('7'))).toMatchObject({ identity: VALIDATOR_ID });
    const prefixed = { lapi_parameters: rows({ ledger_end: '7', participant_id: VALIDATOR_ID }) };
    expect(splice.positions.read('participant', ledgerFacts('7', prefixed))).toMatchObject({ identity: VALIDATOR_ID });
  });
});
