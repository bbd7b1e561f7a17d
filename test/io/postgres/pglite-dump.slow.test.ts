import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../core/facts.ts';
import type { Artifact } from '../../../core/receipts.ts';
import { readDump } from '../../../io/postgres/dump-reader.ts';
import { dumpPglite, PLAIN_DUMP } from '../../../io/postgres/pglite-dump.ts';
import { collect, cut } from '../../support/bytes.ts';

describe('a dump of a PostgreSQL in this process', () => {
  let database: PGlite;
  beforeAll(async () => {
    database = await PGlite.create();
    await database.exec(`
      CREATE TABLE thing (id int PRIMARY KEY, name text, bytes bytea, yes bool, amount numeric);
      INSERT INTO thing VALUES (1, E'tab\\tquote''\\nINSERT INTO thing (id) VALUES (9);', '\\x00ff', true, 1.50), (2, NULL, NULL, false, 'NaN');
      CREATE TABLE empty (id int)`);
  });
  afterAll(() => database.close());

  test('is whole, and its positions are read from itself', async () => {
    let stored: Buffer = Buffer.alloc(0);
    let facts: Facts = {};
    const captured = await dumpPglite(database, {
      clock: { now: () => new Date() },
      readPositions: async (ask) => {
        facts = await ask([
          { table: 'thing', columns: ['id', 'name', 'bytes', 'yes', 'amount'] },
          { table: 'empty', columns: [], max: 'id' },
        ]);
        return { status: 'unknown', reason: 'not asked' };
      },
      store: async (dump) => {
        stored = await collect(dump);
        return { content: PLAIN_DUMP } as Artifact;
      },
    });
    const rows = [
      { id: '1', name: "tab\tquote'\nINSERT INTO thing (id) VALUES (9);", bytes: '\\x00ff', yes: 't', amount: '1.50' },
      { id: '2', name: null, bytes: null, yes: 'f', amount: 'NaN' },
    ];
    const answer = (list: unknown[]) => [{ schema: 'public', status: 'rows', rows: list }];
    expect(facts).toEqual({ thing: answer(rows), empty: answer([]) });
    expect(captured.versions).toMatchObject({ server: expect.stringMatching(/^PGlite \d/) });
    const { summary } = await readDump(PLAIN_DUMP, cut(stored, 1000));
    expect(summary).toMatchObject({ entries: 2, bytes: stored.length });
  });
});
