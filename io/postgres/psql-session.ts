import { createInterface } from 'node:readline';
import type { Connection } from './connection.ts';
import { textOfBytes, unescapeCopy } from './copy-text.ts';
import { failureNamed } from './failures.ts';
import type { Program } from './program.ts';
import type { Session, SqlRow } from './session.ts';
import { startTool, type ToolOptions } from './tools.ts';

/** No file of settings, no prompt, no headings; the first error ends it, with its code. */
const ARGS = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose'];

/**
 * What ends an answer. COPY's text never holds a line like it: a backslash in data is written twice. It is sent by a
 * COPY of its own, in the format that lets it through, since psql hands on only a COPY's output at once.
 */
const MARK = '"\\."';
const SEND_MARK = "COPY (SELECT '\\.') TO STDOUT (FORMAT csv);";

/** A `psql` held open behind a command. Each answer is read up to a mark; whatever else comes is the end. */
export async function openPsqlSession(connection: Connection, options: ToolOptions): Promise<Session> {
  const psql = await startTool('psql', connection, ARGS, options);
  // Bytes, not text: a value need not be whole at the end of a piece.
  const lines = createInterface({ input: psql.stdout.setEncoding('latin1'), crlfDelay: 0 })[Symbol.asyncIterator]();
  const exchange = async (sql: string): Promise<string[]> => {
    psql.stdin.write(`${sql}\n${SEND_MARK}\n`);
    const answer: string[] = [];
    for (;;) {
      const line = await lines.next();
      if (line.done === true) throw await failureOf(psql, connection);
      if (line.value === MARK) return answer;
      answer.push(line.value);
    }
  };
  // One question at a time, however they come.
  let turn: Promise<unknown> = Promise.resolve();
  const ask = (sql: string): Promise<string[]> => {
    const answer = turn.then(() => exchange(sql));
    turn = answer.catch(() => undefined);
    return answer;
  };
  const session: Session = {
    run: async (command) => void (await ask(`${command};`)),
    rows: async (query) => (await ask(`COPY (${query}) TO STDOUT;`)).map(valuesOf),
    close: () => psql.stop(),
  };
  // The first answer shows that there is a connection.
  await session.run("SET client_encoding = 'UTF8'");
  return session;
}

const valuesOf = (line: string): SqlRow =>
  line.split('\t').map((raw) => {
    const value = unescapeCopy(raw);
    return value === null ? null : textOfBytes(value);
  });

async function failureOf(psql: Program, connection: Connection) {
  await psql.stop();
  const { said, status } = await psql.ended;
  const code = /(?:ERROR|FATAL): {2}([0-9A-Z]{5}):/.exec(said)?.[1];
  const message = said === '' ? `psql ended with status ${status}` : said;
  return failureNamed(message, connection, code === undefined ? {} : { code });
}
