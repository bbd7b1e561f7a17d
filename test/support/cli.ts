import type { EndingSignal, ExitCode } from '../../cli/exit-codes.ts';
import { run, type World } from '../../cli/run.ts';

export interface CliResult {
  readonly exit: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stdout, as `--json` leaves it. */
  readonly json: () => Record<string, unknown>;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly now?: () => Date;
  /** Is handed what sends a signal to the command line. */
  readonly onStart?: (send: (signal: EndingSignal) => void) => void;
}

/** Runs a command line in this process. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const world: World = {
    ...{ version: '0.0.0-test', cwd: options.cwd, env: options.env ?? process.env },
    clock: { now: options.now ?? (() => new Date()) },
    ...{ stdout: sink('stdout'), stderr: sink('stderr') },
    onSignal: (end) => {
      options.onStart?.(end);
      return () => {};
    },
  };
  const exit = await run(args, world);
  return { exit, ...written, json: () => JSON.parse(written.stdout.trimEnd().split('\n').at(-1) ?? '') };
}
