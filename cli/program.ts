import { Command } from 'commander';
import { exitCodeTable } from './render/exit-codes.ts';
import type { Streams } from './render/screen.ts';
import type { Act, GlobalFlags, Outcome, Shell } from './shell.ts';
import { VERBS } from './verbs.ts';

/** Performs what a verb asks for, with the global flags as parsed. */
export type Perform = (flags: GlobalFlags, verb: (shell: Shell) => Promise<Outcome>) => Promise<void>;

const DEFAULT_CONFIG = 'ledgerhold.yaml';

export interface ProgramOptions {
  readonly version: string;
  readonly streams: Streams;
  /** Leaves commander's own error lines out: whoever reads JSON gets them in the object. */
  readonly json: boolean;
}

/** The command line's grammar. Verbs are loaded when named; `define` of each adds its own part. */
export function program({ version, streams, json }: ProgramOptions, perform: Perform): Command {
  const cli = new Command('ledgerhold')
    .description('Backup and disaster recovery for distributed-ledger nodes.')
    .version(version, '--version', 'print the version')
    .option('--config <file>', 'the network’s configuration', DEFAULT_CONFIG)
    .option('--json', 'print one JSON object, the last thing on stdout')
    .option('--quiet', 'no progress on stderr')
    .helpOption('--help', 'print this')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void (json || streams.stderr.write(text)),
      // Our own form of a failure says the same, with a remedy.
      outputError: () => {},
    })
    .addHelpText('afterAll', exitCodeTable())
    .exitOverride()
    .hook('preSubcommand', (_program, verb) => define(verb, perform));
  for (const { name, summary } of VERBS) cli.command(name).description(summary);
  return cli;
}

/** Adds a verb's arguments, options and action to its still empty command. */
export async function define(command: Command, perform: Perform): Promise<void> {
  const verb = VERBS.find(({ name }) => name === command.name());
  (await verb?.load())?.define(command, actor(perform));
}

/** Commander hands an action its arguments one by one, then its options, then its command. */
function actor(perform: Perform): Act {
  return <Options>(run: (shell: Shell, options: Options, args: readonly string[]) => Promise<Outcome>) =>
    async (...received: unknown[]) => {
      const command = received.at(-1) as Command;
      // Options of a verb that has verbs of its own are read before theirs, and belong to both.
      const { config, json, quiet, ...options } = command.optsWithGlobals<Partial<GlobalFlags>>();
      const flags = { config: config ?? DEFAULT_CONFIG, json: json === true, quiet: quiet === true };
      // A verb declares its options beside its interface of them: commander cannot tell their types.
      await perform(flags, (shell) => run(shell, options as Options, command.args));
    };
}
