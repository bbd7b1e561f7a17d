import { LedgerholdError } from './errors.ts';

/** KMS gave no answer, or asked for patience: throttling, 5xx, the network. */
export class KmsUnavailable extends LedgerholdError {
  override readonly name = 'KmsUnavailable';
  readonly kind = 'external';
  constructor(keyId: string, why: string, options?: ErrorOptions) {
    super(`KMS gave no answer for the key ${keyId}: ${why}`, 'Try again.', options);
  }
}
