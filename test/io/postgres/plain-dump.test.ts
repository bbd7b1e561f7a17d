import { describe, expect, test } from '@jest/globals';
import { readDump } from '../../../io/postgres/dump-reader.ts';
import { DumpDamaged, UnsupportedDump } from '../../../io/postgres/errors.ts';
import { cut } from '../../support/bytes.ts';

const HEAD = `--
-- PostgreSQL database dump
--

\\restrict abc

-- Dumped from database version 18.3
-- Dumped by pg_dump version 18.4

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE FUNCTION app.trap() RETURNS void
    LANGUAGE sql
    AS $_$
INSERT INTO app.box (id, name, size) VALUES (99, 'not a row', 99);
COPY app.box (id) FROM stdin;
$_$;

CREATE TABLE app."Box ""1" (
    id integer NOT NULL,
    name text DEFAULT 'a;
INSERT INTO app.box VALUES (1);'::text,
    size bigint,
    twice bigint GENERATED ALWAYS AS ((size * 2)) STORED
);

COMMENT ON TABLE app."Box ""1" IS 'it''s -- no comment; $_$';

--
-- Data for Name: Box "1; Type: TABLE DATA; Schema: app; Owner: me
--

`;
const TAIL = `
--
-- PostgreSQL database dump complete
--

\\unrestrict abc

`;
const COPY = `COPY app."Box ""1" (id, name, size) FROM stdin;
1\tone\\ttab\t9
2\t\\N\t10
3\tünï;'\\\\\t-7
\\.
`;
const INSERTS = `INSERT INTO app."Box ""1" (id, name, size) VALUES (1, 'one	tab', 9);
INSERT INTO app."Box ""1" (id, name, size) VALUES (2, NULL, 10),
	(3, 'ünï;''\\', -7);
`;
const questions = [
  { table: 'Box "1', columns: ['id', 'name'] },
  { table: 'none', columns: ['id'] },
];
const answers = {
  'Box "1': [
    {
      schema: 'app',
      status: 'rows',
      rows: [
        { id: '1', name: 'one\ttab' },
        { id: '2', name: null },
        { id: '3', name: "ünï;'\\" },
      ],
    },
  ],
  none: [],
};

const read = (text: string, queries = questions, size = 50) =>
  readDump('pg_dump-plain', cut(Buffer.from(text), size), queries);

describe('a plain SQL dump', () => {
  test.each([
    ['COPY', COPY],
    ['INSERT', INSERTS],
  ])('gives the rows of its tables, by %s, and nothing that only looks like rows', async (_, data) => {
    for (const size of [1, 7, 10_000]) {
      const { summary, facts } = await read(HEAD + data + TAIL, questions, size);
      expect(facts).toEqual(answers);
      expect(summary).toMatchObject({ database: null, createdAt: null, serverVersion: '18.3', dumpVersion: '18.4' });
    }
  });

  test('gives the largest value of a column', async () => {
    const largest = [{ table: 'Box "1', columns: [], max: 'size' }];
    for (const data of [COPY, INSERTS]) {
      const { facts } = await read(HEAD + data + TAIL, largest);
      expect(facts).toEqual({ 'Box "1': [{ schema: 'app', status: 'rows', rows: [{ size: '10' }] }] });
    }
  });

  test('has no generated columns', async () => {
    const { facts } = await read(HEAD + COPY + TAIL, [{ table: 'Box "1', columns: ['twice'] }]);
    expect(facts).toEqual({ 'Box "1': [{ schema: 'app', status: 'no-such-column', column: 'twice' }] });
  });

  test('is damaged without its closing line, wherever it is cut', async () => {
    const bytes = Buffer.from(HEAD + COPY + TAIL);
    const closed = bytes.indexOf('dump complete\n') + 'dump complete\n'.length;
    for (let length = 0; length < closed; length += 1) {
      const reading = readDump('pg_dump-plain', cut(bytes.subarray(0, length), 200), []);
      await expect(reading).rejects.toThrow(DumpDamaged);
    }
  });

  test('is damaged if it goes on after its closing line', async () => {
    await expect(read(`${HEAD}${COPY}${TAIL}SELECT 1;\n`)).rejects.toThrow('goes on after its closing line');
    await expect(read(HEAD + COPY + TAIL + HEAD + COPY + TAIL)).rejects.toThrow(DumpDamaged);
  });

  test.each([
    ['in another encoding', HEAD.replace('UTF8', 'LATIN1') + COPY],
    ['with escapes in its strings', HEAD.replace('strings = on', 'strings = off') + COPY],
    ['of several databases', `${HEAD}\\connect other\n`],
    ['whose rows name no columns', HEAD + INSERTS.replaceAll(' (id, name, size)', '')],
    ['without rows', HEAD.slice(0, HEAD.indexOf('--\n-- Data for'))],
  ])('%s is unknown, not damaged', async (_, text) => {
    await expect(read(text + TAIL)).rejects.toThrow(UnsupportedDump);
  });
});
