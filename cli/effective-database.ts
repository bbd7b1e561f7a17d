import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LedgerholdError } from '../core/errors.ts';
import { splitWords } from '../io/postgres/shell-words.ts';

/** The deployment was asked which database it uses, and did not say. */
export class DeploymentSilent extends LedgerholdError {
  override readonly name = 'DeploymentSilent';
  readonly kind = 'external';
}

/** Long enough for `kubectl exec` over a slow link. */
const ANSWER_WITHIN_MS = 30_000;
/** PostgreSQL's limit on a name, in bytes; a name that needs more than these characters has yet to be met. */
const NAME = /^[A-Za-z0-9_.$-]{1,63}$/;

/** The name that a command prints, such as `docker exec NODE printenv NAME`; it runs without a shell. */
export async function effectiveDatabase(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [program = '', ...args] = splitWords(command);
  const remedy = 'Run the command by hand; it must print the database’s name and nothing else.';
  const { stdout } = await promisify(execFile)(program, args, { env: { ...env }, timeout: ANSWER_WITHIN_MS }).catch(
    (cause: unknown) => {
      throw new DeploymentSilent(`the deployment did not say which database it uses: ${command} failed`, remedy, {
        cause,
      });
    },
  );
  const name = stdout.trim();
  if (NAME.test(name)) return name;
  throw new DeploymentSilent(`${command} did not print the name of a database`, remedy);
}
