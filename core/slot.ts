import { LedgerholdError } from './errors.ts';

/** Another run has taken this slot over with a higher fence: whatever we do now would count for nothing. */
export class StaleFence extends LedgerholdError {
  override readonly name = 'StaleFence';
  readonly kind = 'refused';
}
