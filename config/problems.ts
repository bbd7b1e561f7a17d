import type * as z from 'zod';
import { nearest } from '../core/nearest.ts';
import type { Places } from './places.ts';

/** One thing wrong with a config, where it stands, and what was probably meant. */
export interface Problem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Such as `nodes[0].protocol`; empty for the whole file. */
  readonly path: string;
  /** What stands there, as JSON; absent for what is missing and for what could be a secret. */
  readonly value?: string;
  readonly message: string;
  /** The valid key or value that was probably meant. */
  readonly nearest?: string;
}

export type Path = readonly (string | number)[];
type Issue = z.core.$ZodIssue;

/** What is wrong, relative to the file's root, before it has a place. */
interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly candidates?: readonly string[];
  readonly word?: string;
  /** The key itself is wrong, not what it holds. */
  readonly atKey?: boolean;
}

/** Every problem that zod found, in the order of the file. */
export function problemsOf(error: z.ZodError, places: Places): Problem[] {
  return error.issues
    .flatMap((issue) => findings(issue as Issue, [], places))
    .map((finding) => problem(finding, places))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** One problem that a rule beyond the schema found; at the key where the key names what is wrong. */
export const problemAt = (path: Path, message: string, places: Places, { atKey = false } = {}): Problem =>
  problem({ path, message, atKey }, places);

function problem({ path, message, candidates, word, atKey }: Finding, places: Places): Problem {
  const value = atKey === true ? undefined : places.shown(path);
  const meant = candidates === undefined || word === undefined ? undefined : nearest(word, candidates);
  return {
    file: places.file,
    ...places.locate(path, atKey === true),
    path: pathText(path),
    ...(value === undefined ? {} : { value }),
    message: candidates === undefined ? message : `${message}; ${choice(candidates)}`,
    ...(meant === undefined ? {} : { nearest: meant }),
  };
}

/** At most a dozen are listed: beyond that nobody reads them. */
const choice = (candidates: readonly string[]): string =>
  candidates.length > 12 ? `there are ${candidates.length} others` : `it may be ${candidates.join(', ')}`;

function findings(issue: Issue, base: Path, places: Places): Finding[] {
  const path = [...base, ...(issue.path as Path)];
  const word = String(places.valueAt(path));
  switch (issue.code) {
    case 'unrecognized_keys': {
      const candidates = issue.message.split(' ');
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key "${key}"`,
        ...{ candidates, word: key, atKey: true },
      }));
    }
    case 'invalid_value':
      return [{ path, message: 'not one of the values it may have', candidates: issue.values.map(String), word }];
    case 'invalid_union':
      return unionFindings(issue, path, places);
    case 'invalid_key':
      return [{ path, message: `${issue.issues[0]?.message ?? 'not a valid name'}`, atKey: true }];
    case 'invalid_type':
      return [{ path, message: typeMessage(issue.expected, places.valueAt(path)) }];
    default:
      return [{ path, message: issue.message }];
  }
}

/** Of a union, the branch that the writer most likely meant: of the right type, and the fewest problems. */
function unionFindings(issue: z.core.$ZodIssueInvalidUnion, path: Path, places: Places): Finding[] {
  if ('options' in issue && issue.errors.length === 0) {
    const candidates = (issue.options as unknown[]).map(String);
    const value = places.valueAt(path);
    const message = value === undefined ? 'is missing' : 'not one of the values it may have';
    return [{ path, message, candidates, word: String(value) }];
  }
  const branches = issue.errors.map((errors) => ({ errors, misfit: errors.some(wrongKindAtRoot) }));
  const fitting = branches.filter(({ misfit }) => !misfit);
  const [best] = (fitting.length > 0 ? fitting : branches).sort((a, b) => a.errors.length - b.errors.length);
  return (best?.errors ?? []).flatMap((each) => findings(each, path, places));
}

const wrongKindAtRoot = (issue: Issue): boolean =>
  issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');

function typeMessage(expected: string, value: unknown): string {
  if (value === undefined) return 'is missing';
  const quote = expected === 'string' && typeof value === 'number' ? ': put it in quotes' : '';
  return `should be ${TYPES[expected] ?? expected}${quote}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of names to values',
};

const pathText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
