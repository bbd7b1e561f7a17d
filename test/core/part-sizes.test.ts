import { describe, expect, test } from '@jest/globals';
import { COPIED_IN_ONE, partsOf } from '../../core/part-sizes.ts';

const GIB = 1024 ** 3;

describe('the parts of a copy', () => {
  test.each([1, 512 * 1024 ** 2, 512 * 1024 ** 2 + 1, 5 * GIB, 5 * GIB + 1, 5e12, 50e12 - 1, 50e12, 10_000 * 5 * GIB])(
    'of %d bytes are all of them, in order, at most 10,000, of at most 5 GiB',
    (size) => {
      const parts = partsOf(size);
      expect(parts.length).toBeLessThanOrEqual(10_000);
      let next = 0;
      for (const [index, { number, start, end }] of parts.entries()) {
        if (number !== index + 1 || start !== next || end < start) throw new Error(`part ${number} is from ${start}`);
        if (end - start + 1 > COPIED_IN_ONE) throw new Error(`part ${number} is too large`);
        // S3 wants 5 MiB of all but the last.
        if (index < parts.length - 1 && end - start + 1 < 5 * 1024 ** 2) throw new Error(`part ${number} is too small`);
        next = end + 1;
      }
      expect(next).toBe(size);
    },
  );

  test('are of 512 MiB while that is enough', () => {
    expect(partsOf(5 * GIB)).toHaveLength(10);
    expect(partsOf(512 * 1024 ** 2)).toHaveLength(1);
    expect(partsOf(512 * 1024 ** 2 + 1)).toHaveLength(2);
  });

  test.each([0, -1, Number.NaN, 10_000 * 5 * GIB + 1])('of %d bytes are none', (size) => {
    expect(() => partsOf(size)).toThrow(RangeError);
  });
});
