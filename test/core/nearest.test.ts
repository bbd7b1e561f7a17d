import { expect, test } from '@jest/globals';
import { nearest, suggestion } from '../../core/nearest.ts';

test.each([
  ['particpant', 'participant'],
  ['validator_app', 'validator-app'],
  ['identities', 'identities'],
  ['x', undefined],
  ['', undefined],
  ['something else', undefined],
])('%j is nearest to %j', (word, found) => {
  expect(nearest(word, ['identities', 'validator-app', 'participant'])).toBe(found);
});

test('without a near one all are listed', () => {
  expect(suggestion('besu', ['splice', 'canton'])).toBe('Use one of splice, canton.');
  expect(suggestion('cantn', ['splice', 'canton'])).toBe('Did you mean "canton"?');
});
