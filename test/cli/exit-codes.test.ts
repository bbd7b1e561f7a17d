import { describe, expect, test } from '@jest/globals';
import { EXIT_CODES, exitCodeOf, Interrupted, worstOf } from '../../cli/exit-codes.ts';
import { type ErrorKind, LedgerholdError } from '../../core/errors.ts';

class Kinded extends LedgerholdError {
  override readonly name = 'Kinded';
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind) {
    super('it happened', 'Do something.');
    this.kind = kind;
  }
}

describe('exit codes', () => {
  test.each([
    ['violation', 1],
    ['usage', 2],
    ['unknown', 3],
    ['external', 4],
    ['refused', 5],
  ] as const)('an error of kind %s ends with %i', (kind, code) => {
    expect(exitCodeOf(new Kinded(kind))).toBe(code);
  });

  test.each([new TypeError('x is undefined'), 'a string', undefined])('what nobody foresaw ends with 70', (error) => {
    expect(exitCodeOf(error)).toBe(70);
  });

  test('a signal ends with 128 and its number', () => {
    expect(exitCodeOf(new Interrupted('SIGINT'))).toBe(130);
    expect(exitCodeOf(new Interrupted('SIGTERM'))).toBe(143);
  });

  test('of several, a violation outranks doubt, doubt a failure elsewhere, and that success', () => {
    expect(worstOf([0, 4, 3, 1])).toBe(1);
    expect(worstOf([0, 4, 3])).toBe(3);
    expect(worstOf([0, 4])).toBe(4);
    expect(worstOf([])).toBe(0);
  });

  test('every code that can be returned is in the table once', () => {
    const codes = EXIT_CODES.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
