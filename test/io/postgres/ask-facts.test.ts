import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Client } from 'pg';
import type { FactQuery, Facts } from '../../../core/facts.ts';
import { askFacts, beginSnapshot } from '../../../io/postgres/ask-facts.ts';
import { connectionOf } from '../../../io/postgres/connection.ts';
import { readDump } from '../../../io/postgres/dump-reader.ts';
import { startThrowawayPostgres, type ThrowawayPostgres } from '../../../io/postgres/server.ts';
import { openSession } from '../../../io/postgres/session.ts';
import { cut } from '../../support/bytes.ts';
import { connectTo } from '../../support/demo-network.ts';
import { describeWithPostgres } from '../../support/postgres.ts';

const run = promisify(execFile);
const options = { environment: process.env };

describeWithPostgres('questions to a database', () => {
  let server: ThrowawayPostgres;
  let client: Client;
  beforeAll(async () => {
    server = await startThrowawayPostgres();
    client = await connectTo(server.url('postgres'));
  });
  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  /** `via` puts a `psql` behind a command, which here does nothing. */
  const bySql = async (queries: readonly FactQuery[], via?: string): Promise<Facts> => {
    const source = { url: server.url('postgres'), ...(via === undefined ? {} : { via, tools: server.tools }) };
    const session = await openSession(connectionOf(source), options);
    try {
      await beginSnapshot(session);
      return await askFacts(session)(queries);
    } finally {
      await session.close();
    }
  };
  const byDump = async (queries: readonly FactQuery[], content: string, ...args: string[]): Promise<Facts> => {
    const settings = { encoding: 'buffer', maxBuffer: 64_000_000 } as const;
    const { stdout } = await run(join(server.tools, 'pg_dump'), [...args, '-d', server.url('postgres')], settings);
    return (await readDump(content, cut(stdout, 50_000), queries)).facts;
  };
  const everyWay = (queries: readonly FactQuery[]): Promise<Facts[]> =>
    Promise.all([
      bySql(queries),
      bySql(queries, `env "PATH=${server.tools}:/usr/bin:/bin"`),
      byDump(queries, 'pg_dump-custom', '-Fc', '-Z0'),
      byDump(queries, 'pg_dump-custom', '-Fc', '-Z6'),
      byDump(queries, 'pg_dump-plain', '-Fp'),
      byDump(queries, 'pg_dump-plain', '-Fp', '--column-inserts'),
    ]);

  const strange = fc.string({
    unit: fc.constantFrom(
      '\t',
      '\\',
      '\n',
      '\r',
      '\v',
      "'",
      '"',
      '.',
      'N',
      ',',
      ')',
      ';',
      'ü',
      'B',
      '😀',
      'a',
      ' ',
      '\u2028',
    ),
  });
  const row = fc.record({
    name: fc.option(strange),
    count: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    bytes: fc.option(fc.uint8Array({ maxLength: 20 })),
    yes: fc.option(fc.boolean()),
    amount: fc.option(fc.constantFrom('1.50', '1.500', 'NaN', '-0.001')),
  });
  type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;
  test('are answered by SQL exactly as by any dump of the same state, whatever the rows hold', async () => {
    const queries = [
      { table: 'whole', columns: ['name', 'count', 'bytes', 'yes', 'amount'] },
      { table: 'by_name', columns: ['name'], max: 'count' },
      { table: 'by_two', columns: ['count', 'yes'], max: 'name' },
      { table: 'in_all', columns: [], max: 'bytes' },
    ];
    const tables = queries.map(({ table }) => `"Odd ""one""".${table}`);
    await client.query('CREATE SCHEMA "Odd ""one"""');
    for (const table of tables) {
      await client.query(
        `CREATE TABLE ${table} (name text COLLATE "und-x-icu", count bigint, bytes bytea, yes bool, amount numeric)`,
      );
    }
    const law = async (rows: Row[]) => {
      await client.query(`TRUNCATE ${tables.join(', ')}`);
      for (const table of tables) {
        for (const { name, count, bytes, yes, amount } of rows) {
          const values = [name, count, bytes === null ? null : Buffer.from(bytes), yes, amount];
          await client.query(`INSERT INTO ${table} VALUES ($1, $2, $3, $4, $5)`, values);
        }
      }
      const [first, ...others] = await everyWay(queries);
      for (const other of others) expect(other).toEqual(first);
      expect(first).toMatchObject({ whole: [{ rows: { length: rows.length } }] });
    };
    await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 12 }), law), { numRuns: 6 });
  }, 60_000);

  test('find a table in every schema, its partitions and its lack of a column, and neither views nor children', async () => {
    await client.query(`
      CREATE SCHEMA one; CREATE SCHEMA two; CREATE SCHEMA views;
      CREATE TABLE one.log (id int, at bigint);
      INSERT INTO one.log VALUES (1, 10), (1, 9), (2, NULL);
      CREATE TABLE one.child () INHERITS (one.log);
      INSERT INTO one.child VALUES (7, 70);
      CREATE TABLE two.log (id int, at bigint) PARTITION BY RANGE (id);
      CREATE TABLE two.log_0 PARTITION OF two.log FOR VALUES FROM (0) TO (10);
      CREATE TABLE two.log_1 PARTITION OF two.log FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id);
      CREATE TABLE two.log_10 PARTITION OF two.log_1 FOR VALUES IN (10);
      INSERT INTO two.log VALUES (5, 3), (10, 4), (10, 12);
      CREATE VIEW views.log AS SELECT 1 AS id, 2 AS at;
      CREATE TABLE two.bare (only_this int);
      CREATE TABLE one.word (word text COLLATE "und-x-icu");
      INSERT INTO one.word VALUES ('a'), ('B')`);
    const expected: Facts = {
      log: [
        {
          schema: 'one',
          status: 'rows',
          rows: [
            { id: '1', at: '10' },
            { id: '2', at: null },
          ],
        },
        {
          schema: 'two',
          status: 'rows',
          rows: [
            { id: '10', at: '12' },
            { id: '5', at: '3' },
          ],
        },
      ],
      log_1: [{ schema: 'two', status: 'rows', rows: [{ at: '12' }] }],
      bare: [{ schema: 'two', status: 'no-such-column', column: 'that' }],
      // By bytes; by the column's own collation B is the larger.
      word: [{ schema: 'one', status: 'rows', rows: [{ word: 'a' }] }],
      absent: [],
    };
    const answers = await everyWay([
      { table: 'log', columns: ['id'], max: 'at' },
      { table: 'log_1', columns: [], max: 'at' },
      { table: 'bare', columns: ['that'] },
      { table: 'word', columns: [], max: 'word' },
      { table: 'absent', columns: ['id'] },
    ]);
    for (const answer of answers) expect(answer).toEqual(expected);
  });

  test('for the largest value of each key hop through the index instead of reading every row', async () => {
    await client.query(`
      CREATE TABLE events (idx int, ts bigint, PRIMARY KEY (idx, ts));
      INSERT INTO events SELECT i % 3, i FROM generate_series(1, 300000) i;
      ANALYZE events`);
    const { events } = await bySql([{ table: 'events', columns: ['idx'], max: 'ts' }]);
    const largest = ['300000', '299998', '299999'].map((ts, idx) => ({ idx: String(idx), ts }));
    expect(events).toEqual([{ schema: 'public', status: 'rows', rows: largest }]);
    const { rows } = await client.query<{ touched: string | null }>(`
      SELECT pg_sleep(0.2), (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'events')
        + (SELECT idx_tup_read FROM pg_stat_user_indexes WHERE relname = 'events') AS touched`);
    expect(Number(rows[0]?.touched ?? Number.NaN)).toBeLessThan(100);
  });
});
