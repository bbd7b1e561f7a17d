import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { CANDIDATE, promote, storeCandidate } from '../../aws/secrets-store.ts';
import { identitiesSecretName } from '../../core/deployed-names.ts';
import { PLACEHOLDER } from '../../core/identities-secret.ts';
import { sha256 } from '../../io/digest.ts';
import { fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { failureOf, said } from '../support/said.ts';

const secretId = identitiesSecretName('acme', 'validator-1');
const run = { network: 'acme', node: 'validator-1', slot: '2026-11-21T10:00:00Z', fence: 1 };
const body = Buffer.from(JSON.stringify({ id: 'PAR::alice', keys: ['sentinel-key'] }));
const artifact = { key: 'sets/validator-1/runs/x/1/identities.json', sha256: sha256(Buffer.from('stored')) };

/** The secret as the stack has made it. */
function fakeWith() {
  const fake = fakeSecretsManager();
  fake.add(secretId, PLACEHOLDER);
  return fake;
}

describe('storeCandidate', () => {
  test('leaves the placeholder current, and makes the identities only a candidate', async () => {
    const fake = fakeSecretsManager();
    fake.add(secretId, PLACEHOLDER);
    const stored = await storeCandidate(fake.client, secretId, run, body, artifact);
    expect(stored.versionId).not.toBe(stored.replaces);
    expect(fake.stagesOf(secretId, stored.replaces)).toEqual(['AWSCURRENT']);
    expect(fake.valueOf(secretId, stored.replaces)).toMatchObject({ placeholder: true });
    expect(fake.stagesOf(secretId, stored.versionId)).toEqual([CANDIDATE]);
    const { gzip } = fake.valueOf(secretId, stored.versionId) as { gzip: string };
    expect(gunzipSync(Buffer.from(gzip, 'base64'))).toEqual(body);
  });

  test('puts the placeholder first into a secret without a version', async () => {
    const fake = fakeSecretsManager();
    fake.addEmpty(secretId);
    const stored = await storeCandidate(fake.client, secretId, run, body, artifact);
    expect(fake.stagesOf(secretId, stored.replaces)).toEqual(['AWSCURRENT']);
    expect(fake.stagesOf(secretId, stored.versionId)).toEqual([CANDIDATE]);
  });

  test('a repeated call for the same file adds no version; one that has fetched again cites its own', async () => {
    const fake = fakeWith();
    const first = await storeCandidate(fake.client, secretId, run, body, artifact);
    expect(await storeCandidate(fake.client, secretId, run, body, artifact)).toEqual(first);
    expect(fake.countOf(secretId)).toBe(2);
    const second = { ...artifact, key: `${artifact.key}.2` };
    const again = await storeCandidate(fake.client, secretId, run, Buffer.from('other'), second);
    expect(again.versionId).not.toBe(first.versionId);
    expect(fake.stagesOf(secretId, again.versionId)).toEqual([CANDIDATE]);
    expect(fake.stagesOf(secretId, first.versionId)).toEqual([]);
  });

  test('each run and attempt stores a version of its own, so that A, B, A is seen as three', async () => {
    const fake = fakeWith();
    const ids = new Set<string>();
    for (const [fence, bytes] of [body, Buffer.from('B'), body].entries()) {
      const stored = await storeCandidate(fake.client, secretId, { ...run, fence: fence + 1 }, bytes, artifact);
      await promote(fake.client, stored);
      expect(fake.stagesOf(secretId, stored.versionId)).toContain('AWSCURRENT');
      ids.add(stored.versionId);
    }
    expect(ids.size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test('identities over 64 KiB even when packed leave a pointer to the vault', async () => {
    const fake = fakeWith();
    const incompressible = randomBytes(60_000);
    const stored = await storeCandidate(fake.client, secretId, run, incompressible, artifact);
    expect(stored.form).toBe('pointer');
    expect(fake.valueOf(secretId, stored.versionId)).toEqual({
      format: 'ledgerhold/identities-secret/1',
      vault: artifact,
    });
  });

  test('identities as large as real ones are stored whole', async () => {
    const fake = fakeWith();
    const large = Buffer.from(randomBytes(20_000).toString('base64').repeat(4));
    expect((await storeCandidate(fake.client, secretId, run, large, artifact)).form).toBe('gzip');
  });

  test.each([
    ['AccessDeniedException', 'SecretUnusable', 'usage'],
    ['ValidationException', 'SecretUnusable', 'usage'],
    ['LimitExceededException', 'SecretUnusable', 'usage'],
    ['InvalidRequestException', 'SecretBeingDeleted', 'usage'],
    ['EncryptionFailure', 'SecretKeyUnusable', 'usage'],
    ['DecryptionFailure', 'SecretKeyUnusable', 'usage'],
    ['InternalServiceError', 'SecretsUnavailable', 'external'],
    ['ThrottlingException', 'SecretsUnavailable', 'external'],
    ['TimeoutError', 'SecretsUnavailable', 'external'],
  ])('%s is a named error that does not quote the value', async (awsName, name, kind) => {
    const fake = fakeWith();
    fake.mock.on(PutSecretValueCommand).callsFake(({ SecretString }) => {
      throw Object.assign(new Error(`Value '${SecretString}' and ${body.toString()}`), { name: awsName });
    });
    const error = await failureOf(storeCandidate(fake.client, secretId, run, body, artifact));
    expect(error).toMatchObject({ name, kind });
    expect(said(error)).not.toContain('sentinel-key');
    expect(fake.countOf(secretId)).toBe(1);
  });

  test('a secret that nobody has deployed, and one scheduled for deletion, are told apart and left alone', async () => {
    const missing = storeCandidate(fakeSecretsManager().client, secretId, run, body, artifact);
    await expect(missing).rejects.toMatchObject({ name: 'SecretUnusable', remedy: expect.stringContaining('Deploy') });
    const fake = fakeWith();
    fake.scheduleDeletion(secretId);
    await expect(storeCandidate(fake.client, secretId, run, body, artifact)).rejects.toMatchObject({
      name: 'SecretBeingDeleted',
      remedy: expect.stringContaining(`restore-secret --secret-id ${secretId}`),
    });
    expect(fake.countOf(secretId)).toBe(1);
  });

  test('a hundred runs leave three labels, whatever was promoted', async () => {
    const fake = fakeWith();
    for (let fence = 1; fence <= 100; fence++) {
      const stored = await storeCandidate(fake.client, secretId, { ...run, fence }, body, artifact);
      if (fence % 3 !== 0) await promote(fake.client, stored);
    }
    expect(fake.labelsOf(secretId)).toEqual(['AWSCURRENT', 'AWSPREVIOUS', CANDIDATE]);
  });
});

describe('promote', () => {
  test('moves AWSCURRENT to the candidate, keeps the one before, and may be repeated', async () => {
    const fake = fakeWith();
    const stored = await storeCandidate(fake.client, secretId, run, body, artifact);
    await promote(fake.client, stored);
    expect(fake.stagesOf(secretId, stored.versionId)).toContain('AWSCURRENT');
    expect(fake.stagesOf(secretId, stored.replaces)).toEqual(['AWSPREVIOUS']);
    await promote(fake.client, stored);
    expect(fake.stagesOf(secretId, stored.versionId)).toContain('AWSCURRENT');
    expect(fake.stagesOf(secretId, stored.replaces)).toEqual(['AWSPREVIOUS']);
  });

  test('is refused if another version has become current meanwhile', async () => {
    const fake = fakeWith();
    const one = await storeCandidate(fake.client, secretId, run, body, artifact);
    const two = await storeCandidate(fake.client, secretId, { ...run, fence: 2 }, body, artifact);
    await promote(fake.client, two);
    await expect(promote(fake.client, one)).rejects.toMatchObject({ name: 'PromotionOvertaken', kind: 'refused' });
    expect(fake.stagesOf(secretId, two.versionId)).toContain('AWSCURRENT');
  });
});
