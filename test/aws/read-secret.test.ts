import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { readSecretValue, SecretUnavailable } from '../../aws/read-secret.ts';

const client = new SecretsManagerClient({ region: 'eu-central-1' });
const mock = mockClient(client);

describe('readSecretValue', () => {
  beforeEach(() => {
    mock.reset();
  });

  test('gives the text of the secret', async () => {
    mock.on(GetSecretValueCommand, { SecretId: 'db' }).resolves({ SecretString: 'postgres://u:p@h/d' });
    expect(await readSecretValue('db', client)).toBe('postgres://u:p@h/d');
  });

  test('names the secret and the cause when it cannot be read, or holds no text', async () => {
    const gone = new ResourceNotFoundException({ message: 'no', $metadata: {} });
    mock.on(GetSecretValueCommand, { SecretId: 'gone' }).rejects(gone);
    await expect(readSecretValue('gone', client)).rejects.toThrow(SecretUnavailable);
    await expect(readSecretValue('gone', client)).rejects.toThrow('gone cannot be read: ResourceNotFoundException');
    mock.on(GetSecretValueCommand, { SecretId: 'empty' }).resolves({});
    await expect(readSecretValue('empty', client)).rejects.toThrow('empty holds no text');
  });

  test('that is refused tells that a key of one’s own has to be opened too', async () => {
    const message = 'Access to KMS is not allowed';
    const refused = new SecretsManagerServiceException({
      ...{ name: 'AccessDeniedException', $fault: 'client', message, $metadata: {} },
    });
    mock.on(GetSecretValueCommand).rejects(refused);
    await expect(readSecretValue('sealed', client)).rejects.toMatchObject({
      message: expect.stringContaining('AccessDeniedException'),
      remedy: expect.stringMatching(/aws\/secretsmanager.*kms:Decrypt/),
    });
  });
});
