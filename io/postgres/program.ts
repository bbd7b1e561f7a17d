import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { openLargePipe } from '../large-pipe.ts';

/** How a program ended. `said` is the end of what it wrote to standard error. */
export interface ProgramEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
}

export interface Program {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects. A program that could not be started ends with status 127. */
  readonly ended: Promise<ProgramEnd>;
  /** Ends it, by force after five seconds; resolves when it has ended. May be called again. */
  stop(): Promise<void>;
}

/** A program whose output comes in large pieces. */
export interface LargeProgram extends Omit<Program, 'stdout'> {
  readonly pieces: AsyncIterable<Buffer>;
}

/** The words of a command line, and what the program inherits of the environment and of our open files. */
export interface Command {
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The program finds it as `INHERITED_FILE`. */
  readonly file?: number;
}

export const INHERITED_FILE = '/dev/fd/3';

export function startProgram(command: Command): Program {
  const child = launch(command, 'pipe');
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError('a child without the pipes that were asked for');
  const ended = endOf(child);
  return { stdin, stdout, ended, stop: () => stop(child, ended) };
}

export async function startLargeProgram(command: Command): Promise<LargeProgram> {
  const pipe = await openLargePipe();
  try {
    const child = launch(command, pipe.writeEnd);
    if (child.stdin === null) throw new TypeError('a child without the pipe that was asked for');
    const ended = endOf(child);
    const end = async () => {
      pipe.close();
      await stop(child, ended);
    };
    return { stdin: child.stdin, pieces: pipe.pieces, ended, stop: end };
  } catch (error) {
    pipe.close();
    throw error;
  } finally {
    await pipe.closeWriteEnd();
  }
}

function launch({ words: [program = '', ...args], environment, file }: Command, stdout: 'pipe' | number): ChildProcess {
  const stdio = ['pipe', stdout, 'pipe', ...(file === undefined ? [] : [file])] satisfies StdioOptions;
  // A group of its own, so that a wrapper's children end with it.
  const child = spawn(program, args, { env: environment, detached: true, stdio });
  // Who ends early closes its input; that is told by its status.
  child.stdin?.on('error', () => undefined);
  return child;
}

/** As much of a program's complaints as helps: the last lines say what broke. */
const SAID_LIMIT = 2000;

async function endOf(child: ChildProcess): Promise<ProgramEnd> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID_LIMIT);
  });
  try {
    const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { status, signal, said: said.trim() };
  } catch (error) {
    return { status: 127, signal: null, said: isNativeError(error) ? error.message : String(error) };
  }
}

const STOP_WITHIN_MS = 5000;

async function stop(child: ChildProcess, ended: Promise<ProgramEnd>): Promise<void> {
  killGroup(child, 'SIGTERM');
  // Output that nobody reads would keep it from closing.
  child.stdout?.destroy();
  child.stdin?.destroy();
  const abort = new AbortController();
  const patience = sleep(STOP_WITHIN_MS, undefined, { signal: abort.signal }).catch(() => undefined);
  await Promise.race([ended, patience]);
  abort.abort();
  killGroup(child, 'SIGKILL');
  await ended;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended, and its end is on its way to us.
  }
}
