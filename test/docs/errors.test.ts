import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { exitCodeOf } from '../../cli/exit-codes.ts';
import { type ErrorKind, LedgerholdError } from '../../core/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = '{core,config,protocols,io,vault,aws,local,lambdas,lib,cli,demo}';
/** The class of them all, one that is always caught and told as a reading, one that has another one's name, and the API's. */
const NEVER_SEEN = ['LedgerholdError', 'PositionUnclear', 'FailedOnAws', 'ApiRefused'];

class OfKind extends LedgerholdError {
  override readonly name = 'OfKind';
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind) {
    super('', '');
    this.kind = kind;
  }
}

/** `Name exit`, of each class of error in the source. */
function classes(): string[] {
  const found = new Map<string, { parent: string; kind: string | undefined }[]>();
  for (const file of globSync(`${FOLDERS}/**/*.ts`, { cwd: ROOT })) {
    const source = readFileSync(join(ROOT, file), 'utf8');
    for (const [, name = '', parent = '', body = ''] of source.matchAll(/class (\w+) extends (\w+) \{([^]*?)\n\}/g)) {
      const kind = /kind(?:: ErrorKind)? = '(\w+)'/.exec(body)?.[1];
      found.set(name, [...(found.get(name) ?? []), { parent, kind }]);
    }
  }
  const kindsOf = (name: string): string[] =>
    (found.get(name) ?? []).flatMap(({ parent, kind }) => (kind === undefined ? kindsOf(parent) : [kind]));
  const isOurs = (name: string): boolean =>
    name === 'LedgerholdError' || (found.get(name) ?? []).some(({ parent }) => isOurs(parent));
  return [...found.keys()]
    .filter((name) => isOurs(name) && !NEVER_SEEN.includes(name))
    .map((name) => {
      const exits = new Set(kindsOf(name).map((kind) => exitCodeOf(new OfKind(kind as ErrorKind))));
      return `${name} ${[...exits].join(' or ')}`;
    })
    .sort();
}

/** The same, of each row of the document; one without a cause or a remedy is none. */
function rows(): string[] {
  let exit = '';
  const found: string[] = [];
  for (const line of readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').split('\n')) {
    exit = /^## Exit (\d+)/.exec(line)?.[1] ?? exit;
    const name = /^\| `(\w+)` \| [^|]*\w[^|]* \| [^|]*\w[^|]* \|$/.exec(line)?.[1];
    if (name !== undefined) found.push(`${name} ${exit}`);
  }
  return found.sort();
}

describe('docs/errors.md', () => {
  test('has every error once, with the exit code that it really ends with', () => {
    expect(classes().length).toBeGreaterThan(90);
    expect(rows()).toEqual(classes());
  });
});
