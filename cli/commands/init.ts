import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { LedgerholdError } from '../../core/errors.ts';
import { PACKAGE_ROOT } from '../package-root.ts';
import type { Act, Outcome, Shell } from '../shell.ts';

/** By protocol: the example that a first config is. They are tested to be valid. */
const EXAMPLES = { splice: 'splice-validator', canton: 'canton-synchronizer' } as const;

interface Options {
  readonly protocol: keyof typeof EXAMPLES;
}

/** Nothing is ever overwritten. */
export class FileExists extends LedgerholdError {
  override readonly name = 'FileExists';
  readonly kind = 'usage';
}

export class FileNotWritten extends LedgerholdError {
  override readonly name = 'FileNotWritten';
  readonly kind = 'external';
}

export function define(command: Command, act: Act): void {
  command
    .addOption(
      new Option('--protocol <name>', 'the ledger of the first node').choices(Object.keys(EXAMPLES)).default('splice'),
    )
    .action(act<Options>(init));
}

export async function init({ flags, cwd }: Shell, { protocol }: Options): Promise<Outcome> {
  const file = resolve(cwd, flags.config);
  const example = await readFile(join(PACKAGE_ROOT, 'examples', EXAMPLES[protocol], 'ledgerhold.yaml'));
  await writeFile(file, example, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') {
      throw new FileExists(`${file} exists; it was left as it is`, 'Edit it, or name another with --config FILE.');
    }
    throw new FileNotWritten(`${file} cannot be written`, 'Choose a folder that you may write to.', { cause });
  });
  return {
    exit: 0,
    code: 'WRITTEN',
    nouns: { file, protocol },
    text: [`Wrote ${flags.config}.`, 'Put your own values where its comments say so, then run `ledgerhold doctor`.'],
  };
}
