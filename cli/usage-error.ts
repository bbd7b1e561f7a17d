import { LedgerholdError } from '../core/errors.ts';

/** The command line itself is off. */
export class UsageError extends LedgerholdError {
  override readonly name = 'UsageError';
  readonly kind = 'usage';
}
