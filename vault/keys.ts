import { LedgerholdError } from '../core/errors.ts';

/** Folders of the vault that are no objects: unfinished writes, and what `mkfs` makes for root alone. */
export const UNFINISHED = '.ledgerhold-tmp';
const RESERVED: readonly string[] = [UNFINISHED, 'lost+found'];

/** S3 ends at 1024 bytes, and a bucket's prefix wants its share; file systems end a name at 255. */
const MAX_KEY = 900;
const MAX_SEGMENT = 255;

const printable = /^[\x20-\x7e]+$/;

/** Nobody may store or ask for such a key, in any vault, so that each vault can be copied into every other. */
export class InvalidKey extends LedgerholdError {
  override readonly name = 'InvalidKey';
  readonly kind = 'usage';
  constructor(key: string, why: string) {
    super(`${JSON.stringify(key)} cannot be a key of a vault: ${why}`, 'Give a key such as `sets/node/file`.');
  }
}

/** Why `key` cannot be one; undefined if it can. */
function fault(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.length > MAX_KEY) return `it is longer than ${MAX_KEY} characters`;
  if (!printable.test(key)) return 'it has characters that are not printable ASCII';
  if (key.includes('\\')) return 'it has a backslash';
  const segments = key.split('/');
  if (segments.includes('')) return 'it begins or ends with `/`, or has two in a row';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'it has a `.` or `..` segment';
  if (segments.some((segment) => segment.length > MAX_SEGMENT)) return `a segment is longer than ${MAX_SEGMENT}`;
  return RESERVED.includes(segments[0] ?? '') ? `${segments[0]} is reserved` : undefined;
}

export const isKey = (key: string): boolean => fault(key) === undefined;

/** Throws `InvalidKey`. A key that is also the folder of others (`a` beside `a/b`) is refused by folders alone. */
export function checkKey(key: string): void {
  const why = fault(key);
  if (why !== undefined) throw new InvalidKey(key, why);
}

/** Throws `InvalidKey` if no key can start with `prefix`. */
export function checkPrefix(prefix: string): void {
  const why = fault(`${prefix}x`);
  if (why !== undefined) throw new InvalidKey(prefix, why);
}
