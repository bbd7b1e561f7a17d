import {
  SecretBeingDeleted,
  SecretKeyUnusable,
  SecretsUnavailable,
  SecretUnusable,
} from '../core/identities-secret.ts';

/** Answers that the same call gets again, by what must change first. */
const LASTING: Readonly<Record<string, new (secretId: string, why: string) => Error>> = {
  AccessDeniedException: SecretUnusable,
  InvalidParameterException: SecretUnusable,
  LimitExceededException: SecretUnusable,
  PreconditionNotMetException: SecretUnusable,
  ResourceExistsException: SecretUnusable,
  ResourceNotFoundException: SecretUnusable,
  ValidationException: SecretUnusable,
  // "Not valid for the current state of the resource": of our calls, that of a secret scheduled for deletion.
  InvalidRequestException: SecretBeingDeleted,
  DecryptionFailure: SecretKeyUnusable,
  EncryptionFailure: SecretKeyUnusable,
};

/**
 * Makes a call to Secrets Manager and translates how it fails; resolves to undefined for the one error that is `expected`.
 * No cause: a validation error of the service may quote the value.
 */
export async function callSecrets<Output>(
  secretId: string,
  call: () => Promise<Output>,
  expected?: 'ResourceExistsException' | 'InvalidParameterException' | 'ResourceNotFoundException',
): Promise<Output | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === expected) return undefined;
    const Lasting = LASTING[error.name] ?? SecretsUnavailable;
    throw new Lasting(secretId, error.name);
  }
}
