import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { ChainRestorePlan } from '../core/chain-restore-plan.ts';
import { LedgerholdError } from '../core/errors.ts';
import { RestorePlan } from '../core/restore-plan.ts';
import { FileExists, FileNotWritten } from './commands/init.ts';
import { UsageError } from './usage-error.ts';

/** What was given as a plan is none that this version can carry out. */
export class PlanUnreadable extends LedgerholdError {
  override readonly name = 'PlanUnreadable';
  readonly kind = 'usage';
}

export type AnyPlan = RestorePlan | ChainRestorePlan;

export const writePlan = (path: string, plan: AnyPlan): Promise<void> =>
  writeNew(path, `${JSON.stringify(plan, undefined, 2)}\n`);

/** Never overwrites: an older plan may be half carried out. Rejects with `FileExists` or `FileNotWritten`. */
export async function writeNew(path: string, text: string | Uint8Array): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode: 0o600 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') {
      throw new FileExists(`${path} exists; it was left as it is`, 'Name another file with --out, or remove this one.');
    }
    throw new FileNotWritten(`${path} cannot be written`, 'Name another file with --out.', { cause });
  });
}

const AnyPlan = z.discriminatedUnion('format', [RestorePlan, ChainRestorePlan]);

export async function readPlan(cwd: string, file: string): Promise<AnyPlan> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read`, 'Give the file that `ledgerhold restore plan` wrote.', { cause });
  });
  const parsed = AnyPlan.safeParse(jsonOf(file, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? '' : `: ${issue.path.join('.')}: ${issue.message}`;
  throw new PlanUnreadable(
    `${file} is not a restore plan of this version${where}`,
    'Make one with `ledgerhold restore plan`.',
  );
}

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No cause: the parser's words quote the text, and a file given by mistake may hold secrets.
    throw new PlanUnreadable(`${file} is not JSON`, 'Make a plan with `ledgerhold restore plan`.');
  }
}
