import { CommanderError } from 'commander';
import type { Clock } from '../core/ports.ts';
import { type EndingSignal, type ExitCode, exitCodeOf, Interrupted } from './exit-codes.ts';
import { program } from './program.ts';
import { type Screen, type Streams, screen } from './render/screen.ts';
import type { GlobalFlags, Outcome, Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** The process as the CLI sees it. */
export interface World extends Streams {
  readonly version: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Calls `end` on each signal that asks us to end; returns how to stop listening. */
  onSignal(end: (signal: EndingSignal) => void): () => void;
}

/** So long after Ctrl-C whoever pressed it is told why nothing has ended yet. */
const SILENT_MS = 2_000;
const STILL_ENDING =
  'Ending: what is on its way is waited for, some minutes at most. The same signal again ends at once.';

/** Runs one command line, without the program's own name, and resolves to the exit code. Never rejects. */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  const abort = new AbortController();
  let told: NodeJS.Timeout | undefined;
  const forget = world.onSignal((signal) => {
    abort.abort(new Interrupted(signal));
    told ??= setTimeout(() => screen(world, flagsIn(args)).note(STILL_ENDING), SILENT_MS);
  });
  try {
    return await dispatch(args, world, abort.signal);
  } finally {
    clearTimeout(told);
    forget();
  }
}

async function dispatch(args: readonly string[], world: World, signal: AbortSignal): Promise<ExitCode> {
  let flags = flagsIn(args);
  let outcome: Outcome | undefined;
  const cli = program({ version: world.version, streams: world, json: flags.json }, async (parsed, verb) => {
    flags = parsed;
    outcome = await verb(shell(world, parsed, signal));
  });
  try {
    await cli.parseAsync(withoutHelpVerb(args), { from: 'user' });
  } catch (error) {
    return fail(error, screen(world, flags), signal);
  }
  if (outcome === undefined) return 0;
  screen(world, flags).result(outcome);
  return outcome.exit;
}

/** Read before parsing, since a usage error, too, is told in the form that was asked for. */
const flagsIn = (args: readonly string[]): GlobalFlags => ({
  ...{ config: '', json: args.includes('--json'), quiet: args.includes('--quiet') },
});

/** `help backup` is `backup --help`. */
const withoutHelpVerb = ([first, ...rest]: readonly string[]): string[] =>
  first === 'help' ? [...rest, '--help'] : [...(first === undefined ? [] : [first]), ...rest];

function fail(error: unknown, { failure }: Screen, signal: AbortSignal): ExitCode {
  // Help and version end commander by a throw, too.
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const told = translated(error, signal);
  const exit = exitCodeOf(told);
  failure(told, exit);
  return exit;
}

function translated(error: unknown, signal: AbortSignal): unknown {
  // Whatever a verb throws after an interruption is its consequence.
  if (signal.aborted) return signal.reason;
  if (!(error instanceof CommanderError)) return error;
  if (error.code === 'commander.help') return new UsageError('no verb was given', 'Name one of the verbs above.');
  return new UsageError(error.message.replace(/^error: /, ''), 'See `ledgerhold --help`, or `--help` of the verb.');
}

function shell({ cwd, env, clock, stdout, stderr }: World, flags: GlobalFlags, signal: AbortSignal): Shell {
  const { note, warn, redraw, progress } = screen({ stdout, stderr }, flags);
  return { flags, cwd, env, clock, signal, note, warn, redraw, progress };
}
