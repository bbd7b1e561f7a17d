import { createHmac } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { LedgerholdError } from '../core/errors.ts';
import type { Http, HttpAnswer } from './http.ts';

/** A machine's own login at an OAuth 2 server (client credentials, RFC 6749 §4.4; the secret goes in the body). */
export interface ClientCredentials {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Read only when a token is fetched. */
  readonly clientSecret: () => Promise<string>;
  readonly audience?: string | undefined;
  readonly scope?: string | undefined;
}

/** For a validator deployed without authentication: it takes any token signed with the word `unsafe`. */
export interface UnsafeAuth {
  readonly unsafe: { readonly user: string; readonly audience: string };
}

export type Auth = ClientCredentials | UnsafeAuth;

/** Gives a token for the `Authorization: Bearer` header. */
export type Bearer = (signal?: AbortSignal) => Promise<string>;

/** A token is used until this long before its end, so that it outlives the call that it is fetched for. */
const MARGIN_MS = 60_000;

/**
 * Tokens to call `url` with, each kept until shortly before it expires. Throws `UnsafeAuthRefused`; a call rejects with
 * `CredentialsRefused`, `TokenServerFailed`, `NotAToken`, or an error of `http`. None of them holds a secret.
 */
export function bearerFor(auth: Auth, url: string, http: Http, now: () => Date): Bearer {
  if ('unsafe' in auth) {
    const called = URL.parse(url);
    if (called === null || !isThisMachine(called.hostname)) throw new UnsafeAuthRefused(called?.origin ?? 'this URL');
    return async () => unsafeToken(auth.unsafe.user, auth.unsafe.audience, now());
  }
  let kept = { token: '', until: 0 };
  return async (signal) => {
    if (now().getTime() >= kept.until) kept = await fetchToken(auth, http, now, signal);
    return kept.token;
  };
}

/** What a person is told who uses `auth`; undefined if there is nothing to say. */
export function authWarning(auth: Auth): string | undefined {
  if (!('unsafe' in auth)) return undefined;
  return (
    'This validator takes tokens that anybody can make (auth: unsafe): whoever reaches its port can take its keys. ' +
    'Turn authentication on before it holds anything of value.'
  );
}

async function fetchToken(auth: ClientCredentials, http: Http, now: () => Date, signal: AbortSignal | undefined) {
  const server = { issuer: new URL(auth.tokenUrl).origin, token_endpoint: auth.tokenUrl };
  const client = { client_id: auth.clientId };
  const asked = now().getTime();
  const parameters = Object.entries({ audience: auth.audience, scope: auth.scope }).filter(hasText);
  const secret = oauth.ClientSecretPost(await auth.clientSecret());
  const answer = await oauth.clientCredentialsGrantRequest(server, client, secret, parameters, {
    [oauth.customFetch]: (url, { method, headers, body }) =>
      http(url, { method, headers, body: String(body), ...(signal === undefined ? {} : { signal }) }).then(toResponse),
    // Which origins may be plain HTTP, `http` decides.
    [oauth.allowInsecureRequests]: true,
  });
  const { status } = answer;
  const where = server.issuer + new URL(auth.tokenUrl).pathname;
  try {
    const { access_token, expires_in = 0 } = await oauth.processClientCredentialsResponse(server, client, answer);
    if (!/^[\x21-\x7e]+$/.test(access_token)) throw new NotAToken(where);
    return { token: access_token, until: asked + expires_in * 1000 - MARGIN_MS };
  } catch (error) {
    throw refusal(where, auth.clientId, status, error);
  }
}

const hasText = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined;

function toResponse({ status, headers, body }: HttpAnswer): Response {
  const text = body.toString();
  body.fill(0);
  return new Response([204, 205].includes(status) ? null : text, { status, headers: [...headers] });
}

/** RFC 6749 §5.2, and what providers add. Nothing else that the server says is repeated. */
const KNOWN_ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
];

/** Without `cause`: the library's errors carry the whole answer. */
function refusal(where: string, clientId: string, status: number, error: unknown): LedgerholdError {
  if (status === 200) return new NotAToken(where);
  if (status === 429 || status >= 500) return new TokenServerFailed(where, status);
  const said = error instanceof oauth.ResponseBodyError ? error.error : undefined;
  const reason = KNOWN_ERRORS.find((known) => known === said) ?? 'no reason that can be repeated';
  return new CredentialsRefused(`${where} refused client '${clientId}' (HTTP ${status}, ${reason})`);
}

/** Loopback by name or by address: the only places where a token that anybody can make protects nothing more. */
function isThisMachine(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** HS256 with claims `iat`, `aud`, `sub`, as the helper script of Splice's compose deployment makes it (get-token.py). */
function unsafeToken(sub: string, aud: string, at: Date): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ iat: Math.floor(at.getTime() / 1000), aud, sub })}`;
  return `${signed}.${createHmac('sha256', 'unsafe').update(signed).digest('base64url')}`;
}

export class CredentialsRefused extends LedgerholdError {
  override readonly name = 'CredentialsRefused';
  readonly kind = 'usage';
  constructor(message: string) {
    super(message, "Check the node's auth in the config: client id, client secret, audience and scope.");
  }
}

export class TokenServerFailed extends LedgerholdError {
  override readonly name = 'TokenServerFailed';
  readonly kind = 'external';
  constructor(where: string, status: number) {
    super(`the token server ${where} answered ${status}`, 'Look at that server; the same call may succeed later.');
  }
}

export class NotAToken extends LedgerholdError {
  override readonly name = 'NotAToken';
  readonly kind = 'violation';
  constructor(where: string) {
    super(
      `the token server ${where} answered 200, but not with a bearer token`,
      'Check auth.tokenUrl: it is the token endpoint, not the page where people log in.',
    );
  }
}

export class UnsafeAuthRefused extends LedgerholdError {
  override readonly name = 'UnsafeAuthRefused';
  readonly kind = 'usage';
  constructor(origin: string) {
    super(
      `auth: unsafe is only for a validator on this machine, and ${origin} is not (localhost, *.localhost, 127.0.0.1)`,
      'Turn authentication on at that validator, and give tokenUrl, clientId and clientSecret.',
    );
  }
}
