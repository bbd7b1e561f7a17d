import { expect, test } from '@jest/globals';
import { Sha256 } from '../../core/names.ts';
import { placeOf } from '../../core/read-back.ts';

test.each([
  ['00000000', 0],
  ['00000008', 1],
  ['ffffffff', 3],
  ['0000000d', 6],
])('an object whose key has a SHA-256 of %s… has day %i of the week, as the format says', (start, day) => {
  expect(placeOf(Sha256.parse(start.padEnd(64, 'f')))).toBe(day);
});
