import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { CANDIDATE, promote, storeCandidate } from '../../aws/secrets-store.ts';
import { sha256 } from '../../io/digest.ts';
import { fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { failureOf, said } from '../support/said.ts';

const secret = { secretId: 'ledgerhold/acme/validator-1/identities' };
const run = { network: 'acme', node: 'validator-1', slot: '2026-11-21T10:00:00Z', fence: 1 };
const body = Buffer.from(JSON.stringify({ id: 'PAR::alice', keys: ['sentinel-key'] }));
const artifact = { key: 'sets/validator-1/runs/x/1/identities.json', sha256: sha256(Buffer.from('stored')) };
const { secretId } = secret;

describe('storeCandidate', () => {
  test('makes a secret whose current version is a placeholder, and the identities only a candidate', async () => {
    const fake = fakeSecretsManager();
    const stored = await storeCandidate(fake.client, secret, run, body, artifact);
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
    const stored = await storeCandidate(fake.client, secret, run, body, artifact);
    expect(fake.stagesOf(secretId, stored.replaces)).toEqual(['AWSCURRENT']);
    expect(fake.stagesOf(secretId, stored.versionId)).toEqual([CANDIDATE]);
  });

  test('a repeated step adds no version, though the node answers with other bytes', async () => {
    const fake = fakeSecretsManager();
    const first = await storeCandidate(fake.client, secret, run, body, artifact);
    expect(await storeCandidate(fake.client, secret, run, body, artifact)).toEqual(first);
    expect(await storeCandidate(fake.client, secret, run, Buffer.from('other'), artifact)).toEqual(first);
    expect(fake.countOf(secretId)).toBe(2);
  });

  test('each run and attempt stores a version of its own, so that A, B, A is seen as three', async () => {
    const fake = fakeSecretsManager();
    const ids = new Set<string>();
    for (const [fence, bytes] of [body, Buffer.from('B'), body].entries()) {
      const stored = await storeCandidate(fake.client, secret, { ...run, fence: fence + 1 }, bytes, artifact);
      await promote(fake.client, secret, stored);
      expect(fake.stagesOf(secretId, stored.versionId)).toContain('AWSCURRENT');
      ids.add(stored.versionId);
    }
    expect(ids.size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test('identities over 64 KiB even when packed leave a pointer to the vault', async () => {
    const fake = fakeSecretsManager();
    const incompressible = randomBytes(60_000);
    const stored = await storeCandidate(fake.client, secret, run, incompressible, artifact);
    expect(stored.form).toBe('pointer');
    expect(fake.valueOf(secretId, stored.versionId)).toEqual({
      format: 'ledgerhold/identities-secret/1',
      vault: artifact,
    });
  });

  test('identities as large as real ones are stored whole', async () => {
    const fake = fakeSecretsManager();
    const large = Buffer.from(randomBytes(20_000).toString('base64').repeat(4));
    expect((await storeCandidate(fake.client, secret, run, large, artifact)).form).toBe('gzip');
  });

  test.each([
    ['AccessDeniedException', 'SecretUnusable', 'usage'],
    ['ValidationException', 'SecretUnusable', 'usage'],
    ['ThrottlingException', 'SecretsUnavailable', 'external'],
    ['TimeoutError', 'SecretsUnavailable', 'external'],
  ])('%s is a named error that does not quote the value', async (awsName, name, kind) => {
    const fake = fakeSecretsManager();
    fake.mock.on(PutSecretValueCommand).callsFake(({ SecretString }) => {
      throw Object.assign(new Error(`Value '${SecretString}' and ${body.toString()}`), { name: awsName });
    });
    const error = await failureOf(storeCandidate(fake.client, secret, run, body, artifact));
    expect(error).toMatchObject({ name, kind });
    expect(said(error)).not.toContain('sentinel-key');
  });
});

describe('promote', () => {
  test('moves AWSCURRENT to the candidate, keeps the one before, and may be repeated', async () => {
    const fake = fakeSecretsManager();
    const stored = await storeCandidate(fake.client, secret, run, body, artifact);
    await promote(fake.client, secret, stored);
    expect(fake.stagesOf(secretId, stored.versionId)).toContain('AWSCURRENT');
    expect(fake.stagesOf(secretId, stored.replaces)).toEqual(['AWSPREVIOUS']);
    const again = await storeCandidate(fake.client, secret, run, body, artifact);
    expect(again.replaces).toBe(stored.versionId);
    await promote(fake.client, secret, again);
    expect(fake.stagesOf(secretId, stored.versionId)).toContain('AWSCURRENT');
  });

  test('is refused if another version has become current meanwhile', async () => {
    const fake = fakeSecretsManager();
    const one = await storeCandidate(fake.client, secret, run, body, artifact);
    const two = await storeCandidate(fake.client, secret, { ...run, fence: 2 }, body, artifact);
    await promote(fake.client, secret, two);
    await expect(promote(fake.client, secret, one)).rejects.toMatchObject({ name: 'SecretUnusable' });
    expect(fake.stagesOf(secretId, two.versionId)).toContain('AWSCURRENT');
  });
});
