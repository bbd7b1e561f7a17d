import { describe, expect, test } from '@jest/globals';
import { FACT_ROWS_LIMIT, type FactQuery } from '../../../core/facts.ts';
import { dumpReader, dumpTee, readDump } from '../../../io/postgres/dump-reader.ts';
import { DumpDamaged, UnsupportedDump } from '../../../io/postgres/errors.ts';
import { type WrittenArchive, writeArchive } from '../../support/archive-writer.ts';
import { collect, cut } from '../../support/bytes.ts';

const CUSTOM = 'pg_dump-custom';

const COLUMNS = '(id, name, size)';
const shelf: WrittenArchive = {
  minor: 14,
  compression: 'none',
  entries: [
    { kind: 'ENCODING', tag: 'ENCODING', sql: "SET client_encoding = 'UTF8';\n" },
    {
      kind: 'TABLE',
      schema: 'app',
      tag: 'box',
      sql: 'CREATE TABLE app.box (\n    id integer NOT NULL,\n    name text,\n    size bigint\n);\n',
    },
    {
      kind: 'TABLE',
      schema: 'app',
      tag: 'yard',
      sql: 'CREATE TABLE app.yard (\n    no bigint\n)\nPARTITION BY RANGE (no);\n',
    },
    { kind: 'TABLE', schema: 'app', tag: 'yard_1', sql: 'CREATE TABLE app.yard_1 (\n    no bigint\n);\n' },
    {
      kind: 'TABLE ATTACH',
      schema: 'app',
      tag: 'yard_1',
      sql: "ALTER TABLE ONLY app.yard ATTACH PARTITION app.yard_1 FOR VALUES FROM ('1') TO ('9');\n",
    },
    {
      kind: 'TABLE DATA',
      schema: 'app',
      tag: 'box',
      copy: `COPY app.box ${COLUMNS} FROM stdin;\n`,
      rows: ['1\tone\\ttab\t9\n', '2\t\\N\t10\n', '3\tünï\\\\\t-7\n', '\\.\n\n\n'],
    },
    {
      kind: 'TABLE DATA',
      schema: 'app',
      tag: 'yard_1',
      copy: 'COPY app.yard_1 (no) FROM stdin;\n',
      rows: ['4\n5\n', '\\.\n'],
    },
    { kind: 'BLOBS', tag: 'BLOBS', blobs: { 16400: ['large', 'object'], 16401: ['another'] } },
  ],
};
const questions: FactQuery[] = [
  { table: 'box', columns: ['name', 'id'] },
  { table: 'yard', columns: [], max: 'no' },
  { table: 'nowhere', columns: ['x'] },
];
const answers = {
  box: [
    {
      schema: 'app',
      status: 'rows',
      rows: [
        { name: 'one\ttab', id: '1' },
        { name: 'ünï\\', id: '3' },
        { name: null, id: '2' },
      ],
    },
  ],
  yard: [{ schema: 'app', status: 'rows', rows: [{ no: '5' }] }],
  nowhere: [],
};

const read = (bytes: Buffer, queries = questions, size = 1000) => readDump(CUSTOM, cut(bytes, size), queries);

describe('a custom-format dump', () => {
  const versions = [12, 13, 14, 15, 16].flatMap((minor) =>
    (['none', 'gzip', 'zstd'] as const).map((how) => [minor, how]),
  );
  test.each(versions.filter(([minor, how]) => how !== 'zstd' || Number(minor) >= 15) as [number, 'none'][])(
    'of archive version 1.%i, compressed by %s, is read from head to end',
    async (minor, compression) => {
      const bytes = writeArchive({ ...shelf, minor, compression });
      const { summary, facts } = await read(bytes);
      expect(summary).toEqual({
        database: 'shop',
        createdAt: '2026-11-21T07:25:50',
        serverVersion: '15.18',
        dumpVersion: '17.2',
        entries: 8,
        bytes: bytes.length,
      });
      expect(facts).toEqual(answers);
    },
  );

  test.each(['none', 'gzip'] as const)('is understood however its bytes are cut (%s)', async (compression) => {
    const bytes = writeArchive({ ...shelf, compression });
    for (const size of [1, 2, 3, 7, 64]) expect((await read(bytes, questions, size)).facts).toEqual(answers);
  });

  test('is damaged wherever it is cut, between blocks too', async () => {
    const bytes = writeArchive(shelf);
    for (let length = 0; length < bytes.length; length += 1) {
      await expect(read(bytes.subarray(0, length), [])).rejects.toThrow(DumpDamaged);
    }
  });

  test('is damaged if anything follows', async () => {
    const bytes = writeArchive(shelf);
    await expect(read(Buffer.concat([bytes, Buffer.from([0])]))).rejects.toThrow(/block of type 0/);
    const [again] = [writeArchive({ ...shelf, entries: shelf.entries.slice(5, 6) }).subarray(-20)];
    await expect(read(Buffer.concat([bytes, again ?? bytes]))).rejects.toThrow(DumpDamaged);
  });

  test('is damaged if a block comes twice, or belongs to nothing', async () => {
    const bytes = writeArchive({ ...shelf, entries: shelf.entries.slice(0, 6) });
    const block = bytes.subarray(bytes.lastIndexOf(Buffer.from([1, 0, 6, 0, 0, 0])));
    await expect(read(Buffer.concat([bytes, block]), [])).rejects.toThrow(
      /entry 6, which is unknown or was there before/,
    );
  });

  test('whose compressed rows are not what was compressed is damaged', async () => {
    const bytes = writeArchive({ ...shelf, compression: 'gzip' });
    const at = bytes.lastIndexOf(Buffer.from([1, 0, 6, 0, 0, 0])) + 6 + 5 + 9;
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    await expect(read(bytes)).rejects.toThrow(DumpDamaged);
  });

  test('whose rows have no end is damaged, if anybody asks for them', async () => {
    const entries = shelf.entries.map((entry) =>
      entry.tag === 'box' && entry.rows ? { ...entry, rows: ['1\ta\t2\n'] } : entry,
    );
    await expect(read(writeArchive({ ...shelf, entries }))).rejects.toThrow('the rows of box have no end');
    await expect(read(writeArchive({ ...shelf, entries }), [])).resolves.toBeDefined();
  });

  test.each([
    ['an older archive', { ...shelf, minor: 11 }],
    ['a newer archive', { ...shelf, minor: 17 }],
    ['rows compressed by lz4', { ...shelf, minor: 15, compression: 'lz4' as const }],
  ])('that is %s is unknown, not damaged', async (_, archive) => {
    await expect(read(writeArchive(archive))).rejects.toThrow(UnsupportedDump);
  });

  test('compressed by lz4 is walked to its end all the same', async () => {
    const bytes = writeArchive({ ...shelf, minor: 15, compression: 'lz4' });
    expect((await read(bytes, [])).summary.bytes).toBe(bytes.length);
    await expect(read(bytes.subarray(0, -1), [])).rejects.toThrow(DumpDamaged);
  });

  test('that left out the rows that were asked for is unknown', async () => {
    const entries = shelf.entries.filter(({ kind }) => kind !== 'TABLE DATA');
    await expect(read(writeArchive({ ...shelf, entries }))).rejects.toThrow(UnsupportedDump);
  });

  test('in another encoding than UTF-8 is unknown where rows are asked for', async () => {
    const entries = shelf.entries.map((entry) =>
      entry.kind === 'ENCODING' ? { ...entry, sql: "SET client_encoding = 'LATIN1';\n" } : entry,
    );
    await expect(read(writeArchive({ ...shelf, entries }))).rejects.toThrow(/not UTF-8.*LATIN1/);
  });

  test('compares whole numbers as numbers, and all else by its bytes', async () => {
    const rows = (row: object) => [{ schema: 'app', status: 'rows', rows: [row] }];
    const largest = async (max: string) =>
      (await read(writeArchive(shelf), [{ table: 'box', columns: [], max }])).facts;
    expect(await largest('size')).toEqual({ box: rows({ size: '10' }) });
    expect(await largest('name')).toEqual({ box: rows({ name: 'ünï\\' }) });
  });

  test('names a column that a table does not have', async () => {
    const { facts } = await read(writeArchive(shelf), [{ table: 'box', columns: ['id', 'colour'] }]);
    expect(facts).toEqual({ box: [{ schema: 'app', status: 'no-such-column', column: 'colour' }] });
  });

  test('with more rows than a question may have says so, and keeps no more of them', async () => {
    const rows = Array.from({ length: FACT_ROWS_LIMIT + 1 }, (_, id) => `${id}\tx\t${id}\n`);
    const archive = (count: number) => {
      const kept = [...rows.slice(0, count), '\\.\n'];
      const entries = shelf.entries.map((entry) =>
        entry.tag === 'box' && entry.rows ? { ...entry, rows: kept } : entry,
      );
      return writeArchive({ ...shelf, entries });
    };
    for (const question of [
      { table: 'box', columns: ['id'] },
      { table: 'box', columns: ['id'], max: 'size' },
    ]) {
      const tooMany = await read(archive(FACT_ROWS_LIMIT + 1), [question]);
      expect(tooMany.facts).toEqual({ box: [{ schema: 'app', status: 'too-many-rows' }] });
      const { facts } = await read(archive(FACT_ROWS_LIMIT), [question]);
      expect(facts).toMatchObject({ box: [{ status: 'rows', rows: { length: FACT_ROWS_LIMIT } }] });
    }
  });

  test('passes through unchanged, and fails at its end if it was cut', async () => {
    const bytes = writeArchive(shelf);
    const seen: unknown[] = [];
    const through = dumpTee(dumpReader(CUSTOM, questions), ({ facts }) => seen.push(facts));
    expect(await collect(through(cut(bytes, 100)))).toEqual(bytes);
    expect(seen).toEqual([answers]);

    const passed: Uint8Array[] = [];
    const cutShort = dumpTee(dumpReader(CUSTOM), () => undefined)(cut(bytes.subarray(0, -8), 100));
    const reading = (async () => {
      for await (const piece of cutShort) passed.push(piece);
    })();
    await expect(reading).rejects.toThrow(DumpDamaged);
    expect(Buffer.concat(passed)).toEqual(bytes.subarray(0, -8));
  });
});
