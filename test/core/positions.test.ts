import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isoMicroseconds, secondsText } from '../../core/microseconds.ts';
import { type Attested, type Counter, judge, type Law, type Reading, Verdict } from '../../core/positions.ts';

const law: Law = {
  id: 'reader-before-source',
  lower: { role: 'reader', counter: 'read' },
  upper: { role: 'source', counter: 'written' },
  broken: 'it forks',
};
const second: Law = { ...law, id: 'auditor-before-source', lower: { role: 'auditor', counter: 'read' } };

const counter = (name: string, value: bigint, more: Partial<Counter> = {}): Counter => ({
  ...{ name, value: String(value), unit: 'offset', source: 'table.column' },
  ...more,
});
const known = (component: string, role: string, ...counters: Counter[]): Attested => ({
  ...{ component, role },
  reading: { status: 'known', role, identity: null, counters },
});
const reader = (value: bigint, more?: Partial<Counter>, name = 'reader') =>
  known(name, 'reader', counter('read', value, more));
const source = (value: bigint, more?: Partial<Counter>, name = 'source') =>
  known(name, 'source', counter('written', value, more));
const judged = (readings: Attested[], laws: Law[] = [law, second]) => judge({ laws, sameIdentity: [], readings });

describe('judge', () => {
  test('a tie holds', () => {
    expect(judged([reader(5n), source(5n)])).toMatchObject({ status: 'proven', comparisons: [{ difference: '0' }] });
  });

  test('one too many is a violation that names both sides, their values and the difference', () => {
    const violations = ['reader (read 9007199254740993) is 1 ahead of source (written 9007199254740992): it forks'];
    const verdict = judged([reader(2n ** 53n + 1n), source(2n ** 53n)]);
    expect(verdict).toMatchObject({ status: 'violated', violations, comparisons: [{ difference: '1' }] });
  });

  test('times are told to the microsecond, and where they count', () => {
    const at = { unit: 'microseconds', scope: 'sync::35-0' } as const;
    expect(judged([reader(1795245965459317n, at), source(1795245959889441n, at)])).toHaveProperty('violations', [
      'reader (read 1795245965459317, 2026-11-21T07:26:05.459317Z) is 5.569876 s ahead of source ' +
        '(written 1795245959889441, 2026-11-21T07:25:59.889441Z) on sync::35-0: it forks',
    ]);
  });

  test('every pair of several components of a role is compared, scope by scope', () => {
    const verdict = judged([
      reader(1n, { scope: 'x' }, 'reader-1'),
      reader(4n, { scope: 'y' }, 'reader-2'),
      source(2n, { scope: 'x' }, 'source-1'),
      source(3n, { scope: 'y' }, 'source-2'),
    ]);
    expect(verdict.comparisons.map(({ scope, difference }) => [scope, difference])).toEqual([
      ['x', '-1'],
      ['y', '1'],
    ]);
    expect(verdict).toHaveProperty('violations', [expect.stringContaining('reader-2 (read 4)')]);
  });

  test('a source that one law compared need not be compared by every other', () => {
    const readings = [reader(1n, { scope: 'x' }), known('auditor', 'auditor', counter('read', 1n, { scope: 'y' }))];
    const sources = [source(2n, { scope: 'x' }, 's1'), source(2n, { scope: 'y' }, 's2')];
    expect(judged([...readings, ...sources]).status).toBe('proven');
  });

  test.each<[string, Attested[], string]>([
    ['a reading is unknown', [reader(1n), unknown('source', 'no table')], 'source: no table'],
    ['a reading is missing', [reader(1n), { component: 'source', role: 'source' }], 'source was never asked'],
    [
      'the lower counter is missing',
      [known('reader', 'reader'), source(1n)],
      'reader has no read, which reader-before',
    ],
    ['the upper counter is missing', [reader(1n), known('source', 'source')], 'source has no written'],
    ['scopes do not overlap', [reader(1n, { scope: 'x' }), source(1n, { scope: 'y' })], 'the read of reader (x)'],
    ['only one side has a scope', [reader(1n), source(1n, { scope: 'y' })], 'nothing could be compared'],
    ['units differ', [reader(1n), source(1n, { unit: 'block' })], 'nothing could be compared'],
    ['a third has nothing in common', [reader(1n), source(1n), reader(1n, { scope: 'x' }, 'r2')], 'the read of r2 (x)'],
    ['no law binds the two that are there', [reader(1n), reader(1n, {}, 'r2')], 'no law compares reader with r2'],
  ])('%s: unknown, with the reason', (_, readings, reason) => {
    expect(judged(readings)).toMatchObject({
      status: 'unknown',
      reasons: expect.arrayContaining([expect.stringContaining(reason)]),
    });
  });

  test('one component alone, and what no law binds, need no proof', () => {
    expect(judged([source(1n)]).status).toBe('proven');
    expect(judged([reader(1n), source(1n), { component: 'volume', role: 'volume' }]).status).toBe('proven');
  });

  test('violated outranks unknown', () => {
    expect(judged([reader(2n), source(1n), unknown('auditor', 'no table')]).status).toBe('violated');
  });
});

describe('identities', () => {
  const named = (component: string, identity: string | null): Attested => ({
    ...{ component, role: component },
    reading: { status: 'known', role: component, identity, counters: [] },
  });
  const both = (a: Attested, b: Attested) => judge({ laws: [], sameIdentity: [['keys', 'node']], readings: [a, b] });

  test('that differ are a violation naming both', () => {
    const violations = ['keys belongs to PAR::a, but node to PAR::b'];
    expect(both(named('keys', 'PAR::a'), named('node', 'PAR::b'))).toMatchObject({ status: 'violated', violations });
    expect(both(named('keys', 'PAR::a'), named('node', 'PAR::a')).status).toBe('proven');
  });

  test('that one side does not tell are unknown', () => {
    expect(both(named('keys', 'PAR::a'), named('node', null))).toMatchObject({
      status: 'unknown',
      reasons: ['node does not say whose it is'],
    });
  });
});

describe('laws, for any readings', () => {
  const value = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n });
  const scope = fc.constantFrom('x', 'y');
  const side = (role: string, name: string) =>
    fc
      .uniqueArray(scope, { maxLength: 2 })
      .chain((scopes) =>
        fc
          .tuple(...scopes.map((s) => value.map((v) => counter(name, v, { scope: s }))))
          .map((counters) => ({ role, counters })),
      );
  const readings = fc
    .array(fc.oneof(side('reader', 'read'), side('auditor', 'read'), side('source', 'written')), { maxLength: 6 })
    .map((sides) => sides.map(({ role, counters }, i) => known(`${role}-${i}`, role, ...counters)));

  test('a verdict is violated exactly when some comparable pair is the wrong way round', () => {
    fc.assert(
      fc.property(readings, (given) => {
        const at = (role: string) => given.filter((each) => each.role === role).flatMap(countersOf);
        const wrong = [...at('reader'), ...at('auditor')].some((low) =>
          at('source').some((high) => low.scope === high.scope && BigInt(low.value) > BigInt(high.value)),
        );
        expect(judged(given).status === 'violated').toBe(wrong);
      }),
    );
  });

  test('one reading that becomes unknown never turns a verdict into proven', () => {
    fc.assert(
      fc.property(readings, fc.nat(5), (given, i) => {
        fc.pre(i < given.length);
        const doubtful = given.map((each, at) =>
          at === i ? { ...each, reading: { status: 'unknown', reason: '?' } as Reading } : each,
        );
        expect(judged(doubtful).status).not.toBe('proven');
      }),
    );
  });

  test('a verdict is a document: it passes its own schema, and says the same twice', () => {
    fc.assert(
      fc.property(readings, (given) => {
        const verdict = judged(given);
        expect(Verdict.parse(JSON.parse(JSON.stringify(verdict)))).toEqual(verdict);
        expect(judged(given)).toEqual(verdict);
      }),
    );
  });
});

describe('microseconds', () => {
  test.each([
    [0n, '1970-01-01T00:00:00.000000Z'],
    [-1n, '1969-12-31T23:59:59.999999Z'],
    [1795245950350507n, '2026-11-21T07:25:50.350507Z'],
    [2n ** 63n - 1n, undefined],
  ])('%d is %s', (microseconds, text) => expect(isoMicroseconds(microseconds)).toBe(text));

  test('a span keeps all its digits', () => {
    expect([secondsText(5569876n), secondsText(-1n), secondsText(0n)]).toEqual([
      '5.569876 s',
      '-0.000001 s',
      '0.000000 s',
    ]);
  });
});

function unknown(component: string, reason: string): Attested {
  return { component, role: component, reading: { status: 'unknown', reason } };
}

function countersOf({ reading }: Attested): readonly Counter[] {
  return reading?.status === 'known' ? reading.counters : [];
}
