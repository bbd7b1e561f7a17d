import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ErrorKind } from '../core/errors.ts';
import { PACKAGE_ROOT } from './package-root.ts';

const KIND_OF_EXIT: Readonly<Record<string, ErrorKind>> = {
  1: 'violation',
  2: 'usage',
  3: 'unknown',
  4: 'external',
  5: 'refused',
};

/**
 * What `docs/errors.md` says of an error by its name, which is all that comes from where it was thrown elsewhere: a test
 * holds the page to the classes. An error that it does not have is Step Functions' own, or Lambda's.
 */
export async function errorPage(name: string): Promise<{ readonly kind: ErrorKind; readonly remedy?: string }> {
  let exit = '4';
  for (const line of (await readFile(join(PACKAGE_ROOT, 'docs', 'errors.md'), 'utf8')).split('\n')) {
    exit = /^## Exit (\d+)/.exec(line)?.[1] ?? exit;
    const [, row, , remedy] = line.split('|').map((cell) => cell.trim());
    if (row !== `\`${name}\`` || remedy === undefined) continue;
    return { kind: KIND_OF_EXIT[exit] ?? 'external', remedy: sentence(remedy) };
  }
  return { kind: 'external' };
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
