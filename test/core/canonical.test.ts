import { describe, expect, test } from '@jest/globals';
import { canonicalBytes } from '../../core/canonical.ts';

describe('canonicalBytes', () => {
  test('sorts keys and leaves no white space', () => {
    expect(Buffer.from(canonicalBytes({ b: [1, 'é'], a: null })).toString()).toBe('{"a":null,"b":[1,"é"]}');
  });

  test('refuses what JSON cannot say', () => {
    expect(() => canonicalBytes(undefined)).toThrow(TypeError);
  });
});
