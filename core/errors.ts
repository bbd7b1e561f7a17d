/**
 * What kind of thing went wrong. The CLI maps each kind to one exit code (`cli/exit-codes.ts`); nothing else may.
 * - `violation`: proved not so (damage, a broken order, a check that failed)
 * - `usage`: the caller's words or configuration are off; nothing was changed
 * - `unknown`: could be neither proved nor refuted
 * - `external`: someone else failed (network, node, database, disk); the same call may succeed later
 * - `refused`: refused for safety
 */
export type ErrorKind = 'violation' | 'usage' | 'unknown' | 'external' | 'refused';

/** An error that a person can act on: what failed, with which value, and what to do about it. */
export abstract class LedgerholdError extends Error {
  /** Written out in each class, so that a minified bundle still matches retry lists by name. */
  abstract override readonly name: string;
  abstract readonly kind: ErrorKind;

  /** One sentence in the imperative: what the reader does now. */
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** A class of error as a step's contract lists it. Its `name` must equal its instances' `name`. */
// oxlint-disable-next-line typescript/no-explicit-any -- constructors differ; only the name and the instance type matter here
export type ErrorClass = (new (...args: any[]) => LedgerholdError) & { readonly name: string };
