import { LedgerholdError } from '../core/errors.ts';
import { orderProblems } from './order.ts';
import { readPlaces } from './places.ts';
import { type Problem, problemsOf } from './problems.ts';
import { Config } from './schema.ts';

/** The config says something that it may not. Carries every problem, in the order of the file. */
export class ConfigInvalid extends LedgerholdError {
  override readonly name = 'ConfigInvalid';
  readonly kind = 'usage';
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[], options?: ErrorOptions) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const remedy = 'Correct the lines named; nothing was called or changed.';
    super(`${file} has ${count}:\n${problems.map((each) => `  ${problemText(each)}`).join('\n')}`, remedy, options);
    this.problems = problems;
  }
}

/** `file:line:column path: message (it says value; did you mean nearest?)` */
export function problemText({ file, line, column, path, value, message, nearest }: Problem): string {
  const says = value === undefined ? [] : [`it says ${value}`];
  const meant = nearest === undefined ? [] : [`did you mean ${nearest}?`];
  const hints = [...says, ...meant].join('; ');
  return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}${hints === '' ? '' : ` (${hints})`}`;
}

/** Parses the text of a config. Throws `ConfigInvalid` with all of its problems; makes no call and reads no secret. */
export function parseConfig(file: string, text: string): Config {
  const places = readPlaces(file, text);
  if (places.syntax.length > 0) throw new ConfigInvalid(file, places.syntax);
  const parsed = Config.safeParse(places.root, { error: knownKeys });
  if (!parsed.success) throw new ConfigInvalid(file, problemsOf(parsed.error, places));
  const problems = orderProblems(parsed.data, places);
  if (problems.length > 0) throw new ConfigInvalid(file, problems);
  return parsed.data;
}

/** Says which keys an object does have beside the one that it does not: the only hint zod does not keep itself. */
function knownKeys(issue: { readonly code: string; readonly inst?: unknown }): string | undefined {
  const { code, inst } = issue as { code: string; inst?: { shape?: object } };
  return code === 'unrecognized_keys' && inst?.shape !== undefined ? Object.keys(inst.shape).join(' ') : undefined;
}
