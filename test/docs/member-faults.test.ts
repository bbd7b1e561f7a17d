import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
/** In the registry by the name of its class: a store that is tried again. */
const BY_CLASS = ['MemberUnavailable'];

/** Written likewise in these files: alarms, a method of HTTP, and a code of Node's. */
const NO_FAULTS = ['BACKFILL_STALLED', 'DELETE', 'ENOTFOUND', 'MEMBER_LAGS', 'MEMBER_SUSPENDED'];

/** Names of faults, as the source writes them: in files that know what a fault is, in capital letters. */
function names(): string[] {
  const sources = globSync('{core,aws,local,vault,lambdas,cli}/**/*.ts', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .filter((source) => source.includes('MemberFault') || source.includes('CheckReport'));
  const found = sources.flatMap((source) =>
    [...source.matchAll(/'([A-Z]+(?:_[A-Z]+)*)'/g)].map(([, name = '']) => name),
  );
  return [...new Set([...found.filter((name) => name.length > 5 && !NO_FAULTS.includes(name)), ...BY_CLASS])].sort();
}

/** One without a meaning, or with nothing to do, is none. */
const rows = (): string[] =>
  [
    ...readFileSync(join(ROOT, 'docs/member-faults.md'), 'utf8').matchAll(
      /^\| `(\w+)` \| [^|]*\w[^|]* \| [^|]*\w[^|]* \|$/gm,
    ),
  ]
    .map(([, name = '']) => name)
    .sort();

test('docs/member-faults.md has every fault that a member may meet once, and no other', () => {
  expect(names().length).toBeGreaterThan(20);
  expect(rows()).toEqual(names());
});
