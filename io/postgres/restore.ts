import type { Writable } from 'node:stream';
import type { FactQuery, Facts } from '../../core/facts.ts';
import { askFacts, beginSnapshot } from './ask-facts.ts';
import { type Connection, connectionOf, type PostgresSource } from './connection.ts';
import { CUSTOM_DUMP } from './dump.ts';
import { UnsupportedDump } from './errors.ts';
import { failureNamed } from './failures.ts';
import { PLAIN_DUMP } from './pglite-dump.ts';
import { identifier, openSession } from './session.ts';
import { type RunningTool, startTool, type Tool, type ToolEnd, type ToolOptions } from './tools.ts';

export interface RestoreOptions extends ToolOptions {
  readonly signal?: AbortSignal;
  /** Whom all of it is to belong to, a role that the source's user may act as; default: that user. */
  readonly owner?: string;
  /** Of the dump, so far. */
  readonly onBytes?: (bytes: number) => void;
}

interface Reader {
  readonly tool: Tool;
  readonly args: readonly string[];
  /** Further arguments, for another owner than the connected user. */
  readonly ownedBy: (role: string) => readonly string[];
}

/** What reads which kind of dump from its standard input, and stops at the first error. */
const READERS: Readonly<Record<string, Reader>> = {
  [CUSTOM_DUMP]: {
    tool: 'pg_restore',
    args: ['--no-owner', '--no-privileges', '--exit-on-error'],
    ownedBy: (role) => [`--role=${role}`],
  },
  [PLAIN_DUMP]: {
    tool: 'psql',
    args: ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'],
    ownedBy: (role) => [`--command=SET ROLE ${identifier(role)}`, '--file=-'],
  },
};

/**
 * Restores a dump into `database`, which is empty, on the source's server; all of it will belong to one role.
 * Rejects with what `dump` throws, with `UnsupportedDump` or a named `CaptureFailed`; the database then holds a part.
 */
export async function restoreDump(
  source: PostgresSource,
  database: string,
  content: string,
  dump: AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<void> {
  const { signal, owner } = options;
  const reader = READERS[content];
  if (reader === undefined) throw new UnsupportedDump(`it is ${content}, which no program here restores`);
  const { tool } = reader;
  const args = [...reader.args, ...(owner === undefined ? [] : reader.ownedBy(owner))];
  const connection = { ...connectionOf(source), database };
  signal?.throwIfAborted();
  const running = await startTool(tool, connection, args, options);
  const giveUp = () => void running.stop();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    running.stdout.resume();
    const end = await feed(running, dump, options);
    signal?.throwIfAborted();
    if (end.status !== 0) throw restoreFailed(tool, end, connection);
  } finally {
    signal?.removeEventListener('abort', giveUp);
    await running.stop();
  }
}

/** Writes at the program's pace. A program that wants no more is not asked for more, but a dump's end is always read. */
async function feed(
  { stdin, ended }: RunningTool,
  dump: AsyncIterable<Uint8Array>,
  { onBytes }: RestoreOptions,
): Promise<ToolEnd> {
  let failed = false;
  void ended.then(({ status }) => {
    failed = status !== 0;
  });
  let bytes = 0;
  for await (const piece of dump) {
    if (failed) return ended;
    bytes += piece.length;
    onBytes?.(bytes);
    if (!stdin.destroyed && !stdin.write(piece)) await room(stdin);
  }
  stdin.end();
  return ended;
}

/** Resolves when a stream takes more, or never will. */
function room(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    stream.off('drain', done).off('close', done);
    resolve();
  };
  stream.on('drain', done).on('close', done);
  return promise;
}

function restoreFailed(tool: Tool, { status, signal, said }: ToolEnd, connection: Connection) {
  const how = signal === null ? `ended with status ${status}` : `was killed by ${signal}`;
  return failureNamed(said === '' ? `${tool} ${how}` : `${tool} ${how}: ${said}`, connection);
}

/** Has nobody made a table, view, sequence or index in a database of the source's server? */
export async function isEmpty(source: PostgresSource, database: string, options: ToolOptions): Promise<boolean> {
  const session = await openSession({ ...connectionOf(source), database }, options);
  try {
    const found = await session.rows(
      `SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' LIMIT 1`,
    );
    return found.length === 0;
  } finally {
    await session.close();
  }
}

/** Asks a database of the source's server, as `askFacts` does, in one state of its own. */
export async function factsOf(
  source: PostgresSource,
  database: string,
  queries: readonly FactQuery[],
  options: ToolOptions,
): Promise<Facts> {
  const session = await openSession({ ...connectionOf(source), database }, options);
  try {
    await beginSnapshot(session);
    return await askFacts(session)(queries);
  } finally {
    await session.close();
  }
}
