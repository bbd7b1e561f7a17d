import { KMSServiceException } from '@aws-sdk/client-kms';
import { LedgerholdError } from '../core/errors.ts';
import { KmsUnavailable } from '../core/kms.ts';

/** Answers that the same call gets again: the key or the rights must change first. */
const LASTING = [
  'AccessDeniedException',
  'DisabledException',
  'IncorrectKeyException',
  'InvalidArnException',
  'InvalidCiphertextException',
  'InvalidKeyUsageException',
  'KMSInvalidStateException',
  'NotFoundException',
  'UnsupportedOperationException',
];

/** Makes a call to KMS and translates how it fails. */
export async function callKms<Output>(keyId: string, call: () => Promise<Output>): Promise<Output> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (LASTING.includes(error.name)) throw new KmsKeyUnusable(keyId, error.name, { cause: error });
    // Whatever else the service, the network or the credentials say may be over the next time.
    const status = error instanceof KMSServiceException ? error.$metadata.httpStatusCode : undefined;
    throw new KmsUnavailable(keyId, status === undefined ? error.name : `${error.name}, ${status}`, { cause: error });
  }
}

export class KmsKeyUnusable extends LedgerholdError {
  override readonly name = 'KmsKeyUnusable';
  readonly kind = 'usage';
  /** The service's own name for it, where it gave one. */
  readonly reason: string;
  constructor(keyId: string, reason: string, options?: ErrorOptions) {
    super(
      `the KMS key ${keyId} cannot be used: ${reason}`,
      'Check that the key exists in this account and Region, is enabled, and that its policy allows this role.',
      options,
    );
    this.reason = reason;
  }
}
