import type { GlobalFlags, Outcome } from '../shell.ts';
import { failureNouns, failureText } from './failure.ts';
import { type ProgressView, plainProgress } from './progress.ts';

/** The part of a process stream that is written to. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Streams {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** The only thing that prints: results to stdout, everything else to stderr. */
export interface Screen {
  note(line: string): void;
  warn(line: string): void;
  redraw(lines: readonly string[]): void;
  progress(names: readonly string[]): Promise<ProgressView>;
  result(outcome: Outcome): void;
  failure(error: unknown, exit: number): void;
}

export function screen({ stdout, stderr }: Streams, flags: GlobalFlags): Screen {
  const say = (line: string) => void stderr.write(`${line}\n`);
  const note = (line: string) => (flags.quiet ? undefined : say(line));
  const json = (value: object) => void stdout.write(`${JSON.stringify(value, asJson)}\n`);
  return {
    note,
    warn: (line) => say(`warning: ${line}`),
    redraw: (lines) => void stdout.write(`${stdout.isTTY === true ? CLEAR : ''}${lines.join('\n')}\n`),
    progress: async (names) => {
      if (flags.quiet || stderr.isTTY !== true) return plainProgress(note, names);
      // Loaded here: pipes, services and `--help` never need it.
      const { barProgress } = await import('./bars.ts');
      return barProgress(stderr, names);
    },
    result: ({ exit, code, nouns, text }) => {
      if (flags.json) json({ ok: exit === 0, code, ...nouns });
      else for (const line of text) stdout.write(`${line}\n`);
    },
    failure: (error, exit) => {
      for (const line of failureText(error, exit)) say(line);
      if (flags.json) json({ ok: false, ...failureNouns(error) });
    },
  };
}

/** Erases a terminal's screen and starts at its top. */
const CLEAR = '\u001b[2J\u001b[H';

/** JSON has no integers beyond 2^53: they go as text, like everywhere in the vault. */
const asJson = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
