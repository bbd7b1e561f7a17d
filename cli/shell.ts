import type { Command } from 'commander';
import type { Clock } from '../core/ports.ts';
import type { ExitCode } from './exit-codes.ts';
import type { ProgressView } from './render/progress.ts';

/** What every verb is given of the world; nothing else of it is touched. */
export interface Shell {
  readonly flags: GlobalFlags;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborts on Ctrl-C or SIGTERM: end what runs, leave nothing half done, reject. */
  readonly signal: AbortSignal;
  /** A line of progress, to stderr; nothing with `--quiet`. */
  note(line: string): void;
  /** A line that must be seen, to stderr, also with `--quiet`. */
  warn(line: string): void;
  /** The whole of a screen that is drawn again and again, to stdout. */
  redraw(lines: readonly string[]): void;
  /** Live progress of several things at once: bars on a terminal, plain lines elsewhere. */
  progress(names: readonly string[]): Promise<ProgressView>;
}

export interface GlobalFlags {
  /** As given; default `ledgerhold.yaml` in the working directory. */
  readonly config: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** What a verb ends with. It prints nothing itself: `cli/render/output.ts` does. */
export interface Outcome {
  readonly exit: ExitCode;
  /** One word for programs, such as `SEALED`. */
  readonly code: string;
  /** The nouns of the JSON object, beside `ok` and `code`. */
  readonly nouns: Readonly<Record<string, unknown>>;
  /** The same for a person, a line each, for stdout. */
  readonly text: readonly string[];
}

/** Turns what a verb does into commander's action: `.action(act<Options>(async (shell, options, args) => …))`. */
export type Act = <Options = object>(
  run: (shell: Shell, options: Options, args: readonly string[]) => Promise<Outcome>,
) => (...received: unknown[]) => Promise<void>;

/** One file in `cli/commands/`: adds its arguments and options, and its action or its subcommands'. */
export interface VerbModule {
  define(command: Command, act: Act): void;
}
