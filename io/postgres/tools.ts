import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, connectionString } from './connection.ts';
import {
  type Command,
  INHERITED_FILE,
  type LargeProgram,
  type Program,
  type ProgramEnd,
  startLargeProgram,
  startProgram,
} from './program.ts';
import { toolFolder } from './tool-folder.ts';

export type RunningTool = Program;
export type ToolEnd = ProgramEnd;

/** PostgreSQL's client programs, as far as this software runs them. */
export type Tool = 'pg_dump' | 'pg_restore' | 'psql';

export interface ToolOptions {
  /** What programs inherit. PostgreSQL's own variables are left out: the source alone says where to connect. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Starts a program that connects to the source; `args` follow what says so. The password is on no command line and in
 * no environment of ours: it is in a file without a name that the program inherits; behind a command it is the first line
 * of standard input, read there by a shell.
 */
export const startTool = (
  tool: Tool,
  connection: Connection,
  args: readonly string[],
  options: ToolOptions,
): Promise<Program> => connected(startProgram, tool, connection, args, options);

/** The same, for a program that writes gigabytes. */
export const startLargeTool = (
  tool: Tool,
  connection: Connection,
  args: readonly string[],
  options: ToolOptions,
): Promise<LargeProgram> => connected(startLargeProgram, tool, connection, args, options);

type Starter<P> = (command: Command) => P | Promise<P>;

async function connected<P extends Pick<Program, 'stdin'>>(
  start: Starter<P>,
  tool: Tool,
  connection: Connection,
  args: readonly string[],
  options: ToolOptions,
): Promise<P> {
  const { password, via } = connection;
  const environment = inherited(options);
  const withTarget = [`--dbname=${connectionString(connection)}`, '--no-password', ...args];
  const words = [...(await programWords(tool, connection, options)), ...withTarget];
  if (password === undefined) return start({ words, environment });
  if (via.length > 0) {
    const program = await start({ words: [...via, 'sh', '-c', READ_PASSWORD, 'sh', tool, ...withTarget], environment });
    program.stdin.write(`${password}\n`);
    return program;
  }
  const file = await passwordFile(password);
  try {
    return await start({ words, environment: { ...environment, PGPASSFILE: INHERITED_FILE }, file: file.fd });
  } finally {
    await file.close();
  }
}

const READ_PASSWORD = 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec "$@"';

/** Asks a program, where it would run, for its version. */
export async function startForVersion(tool: Tool, connection: Connection, options: ToolOptions): Promise<Program> {
  const words = [...(await programWords(tool, connection, options)), '--version'];
  return startProgram({ words, environment: inherited(options) });
}

async function programWords(tool: Tool, { via, tools }: Connection, options: ToolOptions): Promise<string[]> {
  return via.length > 0 ? [...via, tool] : [join(await toolFolder([tool], tools, options.environment), tool)];
}

const inherited = ({ environment }: ToolOptions): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PG')));

/** Open to us and nobody else, and gone with the last who has it open, even if we are killed. */
async function passwordFile(password: string): Promise<FileHandle> {
  const file = await namelessFile();
  try {
    // At a place of its own: whoever inherits it reads from the start.
    await file.write(`*:*:*:*:${password.replace(/[\\:]/g, '\\$&')}\n`, 0);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Nobody finds it, and what is written to it is under no name at any time. */
async function namelessFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerhold-'));
  try {
    return await open(join(folder, 'pgpass'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
