import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FactAnswer, FactRow, Facts } from '../../core/facts.ts';
import { waves } from '../../core/waves.ts';
import type { Protocol } from '../../protocols/protocol.ts';

/**
 * Holds a protocol to what the rest relies on. `samples` are facts of a good database of each role that has a database;
 * without a sample a role's reading cannot be tested.
 */
export function behavesLikeAProtocol(protocol: Protocol, samples: Readonly<Record<string, Facts>>): void {
  describe(`${protocol.name} behaves like a protocol`, () => {
    const declared = Object.keys(protocol.roles);
    const sampled = Object.entries(samples);

    test('order, laws and identities name declared roles only', () => {
      const named = [
        ...protocol.order.flat(),
        ...protocol.laws.flatMap(({ lower, upper }) => [lower.role, upper.role]),
        ...protocol.sameIdentity.flat(),
        ...Object.keys(samples),
      ];
      for (const role of named) expect(declared).toContain(role);
    });

    test('its order can be followed, and captures the lower side of every law first', () => {
      const plan = waves(
        declared.map((role) => ({ component: role, role })),
        protocol,
      );
      for (const { lower, upper } of protocol.laws) expect(plan.predecessors[upper.role]).toContain(lower.role);
    });

    test('laws and questions have names of their own', () => {
      const laws = protocol.laws.map(({ id }) => id);
      const questions = protocol.positions.queries.map(({ as, table }) => as ?? table);
      expect(new Set(laws).size).toBe(laws.length);
      expect(new Set(questions).size).toBe(questions.length);
    });

    test('a person is told how old a set may be, what a restore loses and what to do after it', () => {
      const { maxAgeDays, maxAgeReason, loses, after } = protocol.restore;
      expect(maxAgeDays).toBeGreaterThan(0);
      expect(protocol.everyHours).toBeGreaterThan(0);
      for (const text of [maxAgeReason, protocol.orderReason, ...loses, ...after])
        expect(text.length).toBeGreaterThan(9);
      expect(loses.length * after.length).toBeGreaterThan(0);
    });

    test.each(sampled)('a good database of a %s is read with every counter that a law compares', (role, facts) => {
      const reading = protocol.positions.read(role, facts);
      expect(reading).toMatchObject({ status: 'known', role });
      const has = reading.status === 'known' ? reading.counters.map(({ name }) => name) : [];
      const sides = protocol.laws.flatMap(({ lower, upper }) => [lower, upper]).filter((side) => side.role === role);
      for (const { counter } of sides) expect(has).toContain(counter);
    });

    test.each(sampled)('a good database of a %s is not taken for one of another role', (role, facts) => {
      for (const other of declared.filter((each) => each !== role)) {
        expect(protocol.positions.read(other, facts).status).not.toBe('known');
      }
    });

    test.each(sampled)('a %s whose schema has changed reads the same or unknown, never otherwise', (role, facts) => {
      const before = protocol.positions.read(role, facts);
      for (const altered of alterations(protocol, facts)) {
        const after = protocol.positions.read(role, altered);
        if (after.status !== 'unknown') expect(after).toEqual(before);
      }
    });

    test('whatever a database answers, it is read without a throw and never as a number that it did not say', () => {
      fc.assert(
        fc.property(fc.constantFrom(...declared), anyFacts(protocol), (role, facts) => {
          const reading = protocol.positions.read(role, facts);
          if (reading.status !== 'known') return;
          const said = JSON.stringify(facts);
          for (const { value } of reading.counters) {
            expect(said.includes(`"${value}"`) || said.includes(`${BigInt(value).toString(16)}"`)).toBe(true);
          }
        }),
        { numRuns: 300 },
      );
    });
  });
}

/** The same facts with one table or one column gone, or with too many rows to read. */
function alterations({ positions }: Protocol, facts: Facts): Facts[] {
  return positions.queries.flatMap(({ as, table, columns, max }) => {
    const name = as ?? table;
    const answers: FactAnswer[][] = [
      [],
      [{ schema: 'public', status: 'too-many-rows' }],
      ...[...columns, ...(max === undefined ? [] : [max])].map((column): FactAnswer[] => [
        { schema: 'public', status: 'no-such-column', column },
      ]),
    ];
    return answers.map((answer) => ({ ...facts, [name]: answer }));
  });
}

function anyFacts({ positions }: Protocol): fc.Arbitrary<Facts> {
  const value = fc.oneof(
    fc.constant(null),
    fc.bigInt().map(String),
    fc.constantFrom('', '007', '1.5', '-1', `n::1220${'ab'.repeat(32)}`, '00000000000000002a', 'NaN'),
    fc.string(),
  );
  const answer = (columns: readonly string[]): fc.Arbitrary<FactAnswer> =>
    fc.oneof(
      fc
        .array(fc.record(Object.fromEntries(columns.map((column) => [column, value]))) as fc.Arbitrary<FactRow>, {
          maxLength: 3,
        })
        .map((given): FactAnswer => ({ schema: 'public', status: 'rows', rows: given })),
      fc.constant<FactAnswer>({ schema: 'public', status: 'too-many-rows' }),
    );
  const tables = positions.queries.map(({ as, table, columns, max }) => [
    as ?? table,
    fc.array(answer([...columns, ...(max === undefined ? [] : [max])]), { maxLength: 2 }),
  ]);
  return fc.record(Object.fromEntries(tables)) as fc.Arbitrary<Facts>;
}
