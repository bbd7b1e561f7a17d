import { inspect } from 'node:util';
import { isNativeError } from 'node:util/types';

/** All that an error could show anybody: message, remedy, stack, fields, and the same of its causes. */
export function said(error: unknown): string {
  const parts = [inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null })];
  for (let at = error; isNativeError(at); at = at.cause) parts.push(String(at), at.stack ?? '');
  return parts.join('\n');
}

/** What a promise rejects with; fails if it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isNativeError(outcome)) return outcome;
  throw new TypeError('expected a rejection with an error');
}
