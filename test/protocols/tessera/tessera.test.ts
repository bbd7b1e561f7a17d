import { describe, expect, test } from '@jest/globals';
import { tessera } from '../../../protocols/tessera/tessera.ts';
import { behavesLikeAProtocol } from '../../conformance/behaves-like-a-protocol.ts';
import { ledgerFacts, rows } from '../../support/canton-facts.ts';

const sound = {
  encrypted_transaction: rows({ timestamp: '1795475400000' }),
  encrypted_raw_transaction: rows({ timestamp: null }),
};
const read = (facts: object) => tessera.positions.read('tessera', { ...sound, ...facts });

behavesLikeAProtocol(tessera, { tessera: sound });

describe('a database that the config calls Tessera’s', () => {
  test('is refused where it has none of its tables', () => {
    const none = { ...ledgerFacts('12'), encrypted_transaction: [], encrypted_raw_transaction: [] };
    expect(read(none)).toMatchObject({ status: 'refused', reason: expect.stringContaining('none of the tables') });
  });

  test('is doubted where it holds no payload: it may be another Tessera’s', () => {
    for (const answer of [rows(), rows({ timestamp: null })]) {
      expect(read({ encrypted_transaction: answer })).toMatchObject({
        status: 'unknown',
        reason: expect.stringContaining('no payload'),
      });
    }
  });
});
