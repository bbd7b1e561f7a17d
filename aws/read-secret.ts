import {
  GetSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import { LedgerholdError } from '../core/errors.ts';

/** A secret's text, by ARN or name. Rejects with `SecretUnavailable`, whose message names it and nothing of its value. */
export async function readSecretValue(id: string, client = new SecretsManagerClient()): Promise<string> {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
    if (SecretString !== undefined && SecretString !== '') return SecretString;
  } catch (cause) {
    const why = cause instanceof SecretsManagerServiceException ? cause.name : 'it cannot be reached';
    const remedy =
      'Check its name, the region, and that this identity may call secretsmanager:GetSecretValue on it. ' +
      'Under another key than aws/secretsmanager it needs kms:Decrypt too, which deployed steps are not given.';
    throw new SecretUnavailable(`the secret ${id} cannot be read: ${why}`, remedy, { cause });
  }
  throw new SecretUnavailable(`the secret ${id} holds no text`, 'Store it as text, not as binary.');
}

export class SecretUnavailable extends LedgerholdError {
  override readonly name = 'SecretUnavailable';
  readonly kind = 'external';
}
