import { describe, expect, test } from '@jest/globals';
import { Interrupted } from '../../cli/exit-codes.ts';
import { captureProgress } from '../../cli/render/capture-progress.ts';
import { failureNouns, failureText } from '../../cli/render/failure.ts';
import { plainProgress, progressText } from '../../cli/render/progress.ts';
import { ageText, bytesText, secondsText, table } from '../../cli/render/units.ts';
import { VaultUnavailable } from '../../core/vault.ts';

describe('units', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_949, '99.9 kB'],
    [123_456, '123 kB'],
    [999_600, '1.0 MB'],
    [3.5e9, '3.5 GB'],
    [2e15, '2000 TB'],
  ])('%i bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

  test.each([
    [0, '0 s'],
    [0.0301, '30 ms'],
    [0.63, '630 ms'],
    [1, '1 s'],
    [59.6, '1 min'],
    [200, '3 min 20 s'],
    [3600, '1 h'],
    [18_720, '5 h 12 min'],
    [90_000, '1 d 1 h'],
  ])('%d seconds are %s', (seconds, text) => expect(secondsText(seconds)).toBe(text));

  test('an age is told by the clock given, also when that is behind', () => {
    const now = new Date('2026-11-21T10:00:00Z');
    expect(ageText('2026-11-21T06:55:00.000Z', now)).toBe('3 h 5 min ago');
    expect(ageText('2026-11-21T10:01:00.000Z', now)).toBe('1 min ahead of this clock');
  });

  test('a table aligns its columns and leaves no blanks at the end of a line', () => {
    expect(
      table([
        ['a', 'bb', 'c'],
        ['aaa', 'b', 'cc'],
      ]),
    ).toEqual(['a    bb  c', 'aaa  b   cc']);
  });
});

describe('progress', () => {
  test('says how much, how fast and how long, as far as it is known', () => {
    expect(progressText({ bytes: 5e6 })).toBe('5.0 MB');
    expect(progressText({ bytes: 5e6, of: 15e6 }, 1e6)).toBe('5.0 MB of about 15.0 MB, 1.0 MB/s, about 10 s left');
    expect(progressText({ bytes: 20e6, of: 15e6 }, 1e6)).toBe('20.0 MB of about 15.0 MB, 1.0 MB/s');
  });

  test('writes a line at the start, at the end, and now and then between', () => {
    const lines: string[] = [];
    let now = 0;
    const view = plainProgress(
      (line) => lines.push(line),
      ['app', 'participant'],
      () => now,
    );
    const progress = captureProgress(view, () => now);
    progress.tell('app', { kind: 'started' });
    for (now = 1000; now <= 30_000; now += 1000) {
      progress.tell('app', { kind: 'progress', progress: { bytes: now * 1000 } });
    }
    progress.tell('app', { kind: 'failed', error: new Error('gone') });
    expect(lines[0]).toBe('app          started');
    expect(lines).toHaveLength(5);
    expect(lines[1]).toContain('10.0 MB, 1.0 MB/s');
    expect(lines.at(-1)).toBe('app          failed: gone');
  });
});

describe('a failure', () => {
  const cause = new Error('EROFS: read-only file system');
  const error = new VaultUnavailable('the vault cannot be written', 'Mount it writable.', { cause });

  test('is told with its name, its causes and its remedy', () => {
    expect(failureText(error, 4)).toEqual([
      'VaultUnavailable: the vault cannot be written',
      '  because: EROFS: read-only file system',
      '  Mount it writable.',
    ]);
    expect(failureNouns(error)).toEqual({
      code: 'VAULT_UNAVAILABLE',
      error: {
        name: 'VaultUnavailable',
        message: 'the vault cannot be written',
        remedy: 'Mount it writable.',
        because: ['EROFS: read-only file system'],
      },
    });
  });

  test('has its name, word by word, for a code', () => {
    const codeOf = (name: string) => failureNouns(Object.assign(new Error(), { name })).code;
    expect(['NotADocument', 'S3Refused', 'TypeError'].map(codeOf)).toEqual([
      'NOT_A_DOCUMENT',
      'S3_REFUSED',
      'TYPE_ERROR',
    ]);
  });

  test('of ours is told with where it happened and what to report', () => {
    const text = failureText(new TypeError('x is undefined'), 70).join('\n');
    expect(text).toMatch(/TypeError: x is undefined\n\s+at /);
    expect(text).toContain('Please report it');
  });

  test('by a signal is no failure of anybody', () => {
    expect(failureNouns(new Interrupted('SIGINT'))).toMatchObject({ code: 'INTERRUPTED' });
  });

  test('whose causes form a ring is told all the same', () => {
    const ring = new Error('a');
    ring.cause = ring;
    expect(failureText(ring, 70).filter((line) => line.includes('because')).length).toBeLessThanOrEqual(5);
  });
});
