import { text } from 'node:stream/consumers';
import { LedgerholdError } from '../../core/errors.ts';
import { Instant } from '../../core/names.ts';
import type { Clock, Progress, ReadPositions } from '../../core/ports.ts';
import type { Artifact, Captured } from '../../core/receipts.ts';
import { type Connection, connectionOf, type PostgresSource } from './connection.ts';
import { dumpReader } from './dump-reader.ts';
import { DumpCutShort, ToolOlderThanServer } from './errors.ts';
import { failureNamed } from './failures.ts';
import type { LargeProgram, ProgramEnd } from './program.ts';
import { openSnapshot, type Snapshot } from './snapshot.ts';
import { startForVersion, startLargeTool, type ToolOptions } from './tools.ts';

/** What `Artifact.content` says of these dumps. */
export const CUSTOM_DUMP = 'pg_dump-custom';

/**
 * Everything, uncompressed: it is read through here, and compressed afterwards. A table that somebody has locked is
 * waited for that long, and no longer, since the snapshot holds back the server's clean-up.
 */
const DUMP_ARGS = ['--format=custom', '--compress=0', '--lock-wait-timeout=300s'];

export interface DumpOptions extends ToolOptions {
  /** Asked in the very snapshot that the dump is taken from, before the dump begins. */
  readonly readPositions: ReadPositions;
  /**
   * Stores the dump. Its stream fails if the dump does; then nothing may be stored. A piece of it is valid until the
   * next is asked for.
   */
  readonly store: (dump: AsyncIterable<Uint8Array>) => Promise<Artifact>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Takes a database's dump and its positions from one snapshot. Rejects with `BadPostgresSource`, `NoPostgresTools`,
 * `ReplicaSource`, a `CaptureFailed` by its own name, what `readPositions` or `store` reject with, or the signal's reason;
 * then nothing of it runs any more.
 */
export async function dumpDatabase(source: PostgresSource, options: DumpOptions): Promise<Captured> {
  const connection = connectionOf(source);
  options.signal?.throwIfAborted();
  const toolSays = await dumpToolVersion(connection, options);
  const startedAt = now(options.clock);
  const snapshot = await openSnapshot(connection, options);
  const taken = whileOpen(snapshot, options.signal, async () => {
    refuseOlderTool(toolSays, snapshot.serverVersion);
    const reading = await options.readPositions(snapshot.ask);
    const artifact = await storeDump(connection, snapshot, options);
    return { reading, artifacts: [artifact] };
  });
  const versions = { server: versionIn(snapshot.serverVersion), pg_dump: versionIn(toolSays) };
  return { startedAt, ...(await taken), endedAt: now(options.clock), versions, notes: {} };
}

const now = (clock: Clock): Instant => Instant.parse(clock.now().toISOString());

export async function dumpToolVersion(connection: Connection, options: ToolOptions): Promise<string> {
  const program = await startForVersion('pg_dump', connection, options);
  program.stdin.end();
  const says = await text(program.stdout);
  const end = await program.ended;
  if (end.status !== 0 || !/\d/.test(says)) throw toolFailed('pg_dump --version', end, connection);
  return says;
}

/** The first version number in what a server or a program says of itself, such as `15.18` or `18beta1`. */
const versionIn = (text: string): string => /\d[\w.]*/.exec(text)?.[0] ?? text.trim();

export function refuseOlderTool(toolSays: string, serverSays: string): void {
  const [tool, server] = [versionIn(toolSays), versionIn(serverSays)];
  if (Number.parseInt(tool, 10) >= Number.parseInt(server, 10)) return;
  throw new ToolOlderThanServer(
    `pg_dump is of version ${tool}, and cannot dump a server of version ${server}`,
    `Install PostgreSQL's client programs of version ${Number.parseInt(server, 10)} or newer, or name their folder with tools.`,
  );
}

async function storeDump(connection: Connection, snapshot: Snapshot, options: DumpOptions): Promise<Artifact> {
  const args = [...DUMP_ARGS, `--snapshot=${snapshot.id}`];
  const pgDump = await startLargeTool('pg_dump', connection, args, options);
  pgDump.stdin.end();
  const close = pgDump.stop;
  return whileOpen({ close }, options.signal, () => options.store(readThrough(pgDump, connection, snapshot, options)));
}

/** The dump's bytes. Ends well only if `pg_dump` did, and what it wrote was a whole archive. */
async function* readThrough(
  pgDump: LargeProgram,
  connection: Connection,
  { bytes: of }: Snapshot,
  { onProgress }: DumpOptions,
): AsyncGenerator<Uint8Array, void> {
  const reader = dumpReader(CUSTOM_DUMP);
  let bytes = 0;
  for await (const piece of pgDump.pieces) {
    await checked(async () => reader.push(piece));
    bytes += piece.length;
    onProgress?.({ bytes, of });
    yield piece;
  }
  const end = await pgDump.ended;
  if (end.status !== 0) throw toolFailed('pg_dump', end, connection);
  await checked(async () => reader.end());
}

/** Does the work, and closes what it was done with: at its end, or at once when the signal aborts. */
async function whileOpen<T>(
  open: { close(): Promise<void> },
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const giveUp = () => void open.close();
  signal?.addEventListener('abort', giveUp);
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    // What broke then, broke because we gave up.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
    await open.close();
  }
}

/** Bytes that come fresh from the server and are no dump are a failed capture, not damage to what was stored. */
async function checked(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!(cause instanceof LedgerholdError)) throw cause;
    const remedy = 'See that nothing between here and the server cuts or changes the stream; then run again.';
    throw new DumpCutShort(`pg_dump ended, but not with a whole dump: ${cause.message}`, remedy, { cause });
  }
}

function toolFailed(program: string, { status, signal, said }: ProgramEnd, connection: Connection) {
  const how = signal === null ? `ended with status ${status}` : `was killed by ${signal}`;
  return failureNamed(said === '' ? `${program} ${how}` : `${program} ${how}: ${said}`, connection);
}
