import { LedgerholdError } from '../core/errors.ts';

/** Answers that the same call gets again. */
const LASTING = [
  'AccessDeniedException',
  'DecryptionFailure',
  'EncryptionFailure',
  'InvalidParameterException',
  'InvalidRequestException',
  'LimitExceededException',
  'PreconditionNotMetException',
  'ResourceExistsException',
  'ResourceNotFoundException',
  'ValidationException',
];

/**
 * Makes a call to Secrets Manager and translates how it fails; resolves to undefined for the one error that is `expected`.
 * No cause: a validation error of the service may quote the value.
 */
export async function callSecrets<Output>(
  secretId: string,
  call: () => Promise<Output>,
  expected?: 'ResourceNotFoundException' | 'ResourceExistsException',
): Promise<Output | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === expected) return undefined;
    throw LASTING.includes(error.name)
      ? new SecretUnusable(secretId, error.name)
      : new SecretsUnavailable(secretId, error.name);
  }
}

export class SecretUnusable extends LedgerholdError {
  override readonly name = 'SecretUnusable';
  readonly kind = 'usage';
  constructor(secretId: string, why: string) {
    super(
      `the secret ${secretId} cannot be used: ${why}`,
      'Check that this role may describe and write it and use its KMS key, and that it is not being deleted.',
    );
  }
}

export class SecretsUnavailable extends LedgerholdError {
  override readonly name = 'SecretsUnavailable';
  readonly kind = 'external';
  constructor(secretId: string, why: string) {
    super(`Secrets Manager gave no answer for ${secretId}: ${why}`, 'Try again.');
  }
}
