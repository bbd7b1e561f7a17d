import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { authWarning, bearerFor, UnsafeAuthRefused } from '../../io/oauth.ts';
import { bodyOf, serve } from '../support/loopback.ts';
import { failureOf, said } from '../support/said.ts';

const SENTINEL = 'sentinel-client-secret';
const API = 'https://validator.example/api/validator';

/** A token server that gives each of `answers` in turn, and keeps what it was asked. */
async function tokenServer(...answers: { status?: number; body: unknown; type?: string }[]) {
  const asked: URLSearchParams[] = [];
  const server = await serve(async (request, response) => {
    asked.push(new URLSearchParams(await bodyOf(request)));
    const { status = 200, body, type = 'application/json' } = answers.shift() ?? { status: 500, body: '' };
    response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const tokenUrl = `${server.origin}/oauth/token`;
  const auth = { tokenUrl, clientId: 'operator', clientSecret: async () => SENTINEL };
  return { asked, auth, http: guardedHttp(outboundTo([tokenUrl])), [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}

const token = (access_token: string, expires_in?: number) => ({
  body: { access_token, token_type: 'Bearer', ...(expires_in === undefined ? {} : { expires_in }) },
});

describe('client credentials', () => {
  test('are sent in the body, with audience and scope if there are any', async () => {
    await using server = await tokenServer(token('one'), token('two'));
    const now = () => new Date();
    const { auth, http } = server;
    expect(await bearerFor({ ...auth, audience: 'https://api.example', scope: 'a b' }, API, http, now)()).toBe('one');
    expect(await bearerFor(auth, API, http, now)()).toBe('two');
    const login = { grant_type: 'client_credentials', client_id: 'operator', client_secret: SENTINEL };
    expect(Object.fromEntries(server.asked[0] ?? [])).toEqual({
      ...login,
      audience: 'https://api.example',
      scope: 'a b',
    });
    expect(Object.fromEntries(server.asked[1] ?? [])).toEqual(login);
  });

  test('give one token until shortly before it expires', async () => {
    await using server = await tokenServer(token('one', 300), token('two', 300));
    let at = 1_800_000_000_000;
    const bearer = bearerFor(server.auth, API, server.http, () => new Date(at));
    expect(await bearer()).toBe('one');
    at += 239_000;
    expect(await bearer()).toBe('one');
    at += 2_000;
    expect(await bearer()).toBe('two');
    expect(server.asked).toHaveLength(2);
  });

  test('give a fresh token each time if its end is not told', async () => {
    await using server = await tokenServer(token('one'), token('two'));
    const bearer = bearerFor(server.auth, API, server.http, () => new Date());
    expect([await bearer(), await bearer()]).toEqual(['one', 'two']);
  });

  const html = { body: `<html>${SENTINEL}</html>`, type: 'text/html' };
  test.each<[string, { status?: number; body: unknown; type?: string }, string]>([
    ['the client is refused with 401', { status: 401, body: { error: 'invalid_client' } }, 'CredentialsRefused'],
    ['the client is refused with 400', { status: 400, body: { error: 'invalid_client' } }, 'CredentialsRefused'],
    ['the audience is refused with 403', { status: 403, body: { error: 'access_denied' } }, 'CredentialsRefused'],
    [
      'a 400 repeats the request',
      { status: 400, body: { error: SENTINEL, error_description: SENTINEL } },
      'CredentialsRefused',
    ],
    ['the endpoint is not there', { status: 404, ...html }, 'CredentialsRefused'],
    ['the server fails', { status: 503, ...html }, 'TokenServerFailed'],
    ['the server has had enough', { status: 429, body: { error: 'slow_down' } }, 'TokenServerFailed'],
    ['a page comes with 200', html, 'NotAToken'],
    ['the answer is cut', { body: `{"access_token":"${SENTINEL}` }, 'NotAToken'],
    ['the token is of another kind', { body: { access_token: SENTINEL, token_type: 'mac' } }, 'NotAToken'],
    ['the token has no kind', { body: { access_token: SENTINEL } }, 'NotAToken'],
    [
      'the token would break a header',
      { body: { access_token: `${SENTINEL}\r\nx: y`, token_type: 'bearer' } },
      'NotAToken',
    ],
    ['it redirects', { status: 302, body: '' }, 'RedirectRefused'],
  ])('end in a named error without a secret if %s', async (_, answer, name) => {
    await using server = await tokenServer(answer);
    const error = await failureOf(bearerFor(server.auth, API, server.http, () => new Date())());
    expect(error.name).toBe(name);
    expect(said(error)).not.toContain(SENTINEL);
  });
});

describe('unsafe auth', () => {
  const unsafe = { user: 'ledger-api-user', audience: 'https://validator.example.com' };
  const never = () => Promise.reject(new Error('called'));
  const at = new Date('2026-11-21T10:00:00.900Z');

  test('makes the token of the compose deployment: HS256 with the word unsafe', async () => {
    const made = await bearerFor({ unsafe }, 'http://wallet.localhost/api/validator', never, () => at)();
    const [header = '', claims = '', signature] = made.split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(header)).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(read(claims)).toEqual({ iat: 1_795_255_200, aud: unsafe.audience, sub: unsafe.user });
    expect(signature).toBe(createHmac('sha256', 'unsafe').update(`${header}.${claims}`).digest('base64url'));
  });

  test.each(['http://localhost', 'http://127.0.0.1:5003/x', 'http://[::1]/', 'http://wallet.localhost:80/'])(
    'is for %s',
    (url) => {
      expect(() => bearerFor({ unsafe }, url, never, () => at)).not.toThrow();
    },
  );

  test.each(['https://validator.example', 'http://10.0.0.5', 'http://localhost.example', 'http://127.example'])(
    'is refused for %s',
    (url) => {
      expect(() => bearerFor({ unsafe }, url, never, () => at)).toThrow(UnsafeAuthRefused);
    },
  );

  test('comes with a warning, and client credentials do not', () => {
    expect(authWarning({ unsafe })).toMatch(/anybody can make/);
    expect(authWarning({ tokenUrl: API, clientId: 'a', clientSecret: async () => 'b' })).toBeUndefined();
  });
});
