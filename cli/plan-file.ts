import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LedgerholdError } from '../core/errors.ts';
import { RestorePlan } from '../core/restore-plan.ts';
import { FileExists, FileNotWritten } from './commands/init.ts';
import { UsageError } from './usage-error.ts';

/** What was given as a plan is none that this version can carry out. */
export class PlanUnreadable extends LedgerholdError {
  override readonly name = 'PlanUnreadable';
  readonly kind = 'usage';
}

/** Never overwrites: an older plan may be half carried out. */
export async function writePlan(path: string, plan: RestorePlan): Promise<void> {
  const text = `${JSON.stringify(plan, undefined, 2)}\n`;
  await writeFile(path, text, { flag: 'wx', mode: 0o600 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') {
      throw new FileExists(`${path} exists; it was left as it is`, 'Name another file with --out, or remove this one.');
    }
    throw new FileNotWritten(`${path} cannot be written`, 'Name another file with --out.', { cause });
  });
}

export async function readPlan(cwd: string, file: string): Promise<RestorePlan> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read`, 'Give the file that `ledgerhold restore plan` wrote.', { cause });
  });
  const parsed = RestorePlan.safeParse(jsonOf(file, text));
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
