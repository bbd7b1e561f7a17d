import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type OAuthServer, startOAuthServer } from '../../demo/oauth-server.ts';
import { demoParticipant } from '../../demo/participant.ts';
import { startValidatorEndpoint, type ValidatorEndpoint } from '../../demo/validator-endpoint.ts';

const who = demoParticipant('demo-validator');
const client = { clientId: 'backup', clientSecret: 'a secret: of+many %signs', audience: 'https://validator.example' };
let now: Date;
let oauth: OAuthServer;
let endpoint: ValidatorEndpoint;

beforeEach(async () => {
  now = new Date('2026-11-21T08:00:00Z');
  oauth = await startOAuthServer({ ...client, now: () => now });
  endpoint = await startValidatorEndpoint({ participant: who, accepts: oauth.accepts });
});
afterEach(() => Promise.all([oauth.stop(), endpoint.stop()]));

const tokenFor = async (form: Record<string, string>, headers: Record<string, string> = {}) => {
  const response = await fetch(oauth.tokenUrl, { method: 'POST', body: new URLSearchParams(form), headers });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
};
const grant = { grant_type: 'client_credentials', audience: client.audience };
const goodToken = async () => {
  const { body } = await tokenFor({ ...grant, client_id: client.clientId, client_secret: client.clientSecret });
  return String(body.access_token);
};
const identities = (token: string) =>
  fetch(`${endpoint.url}/v0/admin/participant/identities`, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'manual',
  });

describe('the OAuth2 stand-in', () => {
  test('gives a token that its published key verifies', async () => {
    const discovery = (await (await fetch(`${oauth.issuer}/.well-known/openid-configuration`)).json()) as {
      jwks_uri: string;
      token_endpoint: string;
    };
    expect(discovery.token_endpoint).toBe(oauth.tokenUrl);
    const { keys } = (await (await fetch(discovery.jwks_uri)).json()) as { keys: JsonWebKey[] };
    const [header, claims, signature] = (await goodToken()).split('.');
    const key = createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' });
    expect(verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(`${signature}`, 'base64url'))).toBe(
      true,
    );
    expect(JSON.parse(Buffer.from(`${claims}`, 'base64url').toString())).toMatchObject({
      sub: 'backup@clients',
      aud: client.audience,
    });
  });

  test('takes the client either from the form or from a Basic header, form-encoded', async () => {
    const pair = [client.clientId, client.clientSecret].map(encodeURIComponent).join(':');
    const { status } = await tokenFor(grant, { authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
    expect(status).toBe(200);
  });

  test.each([
    ['a wrong secret', { ...grant, client_id: 'backup', client_secret: 'wrong' }, 401],
    [
      'another grant',
      { ...grant, grant_type: 'password', client_id: 'backup', client_secret: client.clientSecret },
      400,
    ],
    ['another audience', { ...grant, audience: 'x', client_id: 'backup', client_secret: client.clientSecret }, 403],
  ])('refuses %s', async (_, form, status) => {
    expect(await tokenFor(form)).toMatchObject({ status, body: { error: expect.any(String) } });
  });

  test('no longer accepts a token that has expired', async () => {
    const token = await goodToken();
    expect(oauth.accepts(token)).toBe(true);
    now = new Date('2026-11-21T09:00:01Z');
    expect(oauth.accepts(token)).toBe(false);
  });
});

describe('the validator stand-in', () => {
  test('serves the identities to an administrator only', async () => {
    expect((await identities('nobody')).status).toBe(401);
    const dump = (await (await identities(await goodToken())).json()) as { id: string; keys: { keyPair: string }[] };
    expect(dump.id).toMatch(/^PAR::demo-validator::1220[0-9a-f]{64}$/);
    expect(dump.keys.map(({ keyPair }) => keyPair)).toEqual(
      who.keys.map(({ keyPair }) => Buffer.from(keyPair).toString('base64')),
    );
  });

  test('holds only the names of keys in KMS mode', async () => {
    const kms = await startValidatorEndpoint({ participant: who, keys: 'kms', accepts: () => true });
    try {
      const response = await fetch(`${kms.url}/v0/admin/participant/identities`, {
        headers: { authorization: 'Bearer x' },
      });
      const { keys } = (await response.json()) as { keys: { type: string }[] };
      expect(keys.map(({ type }) => type)).toEqual(['signing', 'signing', 'encryption']);
      expect(JSON.stringify(keys)).not.toContain('keyPair');
    } finally {
      await kms.stop();
    }
  });

  test.each([
    ['html', 200],
    ['redirect', 302],
    ['foreign', 200],
    ['forbidden', 403],
    ['not-found', 404],
    ['server-error', 500],
  ] as const)('can be told to answer with %s', async (fault, status) => {
    endpoint.fail(fault);
    const response = await identities(await goodToken());
    await response.text();
    expect(response.status).toBe(status);
  });

  test('can break off its answer', async () => {
    endpoint.fail('truncated');
    const token = await goodToken();
    await expect(identities(token).then((response) => response.text())).rejects.toThrow();
  });

  test('stops while an answer stalls', async () => {
    endpoint.fail('stall');
    const response = await identities(await goodToken());
    await endpoint.stop();
    await expect(response.text()).rejects.toThrow();
  });
});
