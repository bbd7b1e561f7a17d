import { generateKeyPairSync, type KeyObject, randomUUID, sign, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, listenOnLoopback, sendJson } from './loopback-server.ts';

export interface OAuthOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
  /** The ledger user that tokens are for. Default: `<clientId>@clients`, as identity providers name machines. */
  readonly subject?: string;
  /** Default `jwt`, signed with RS256. */
  readonly tokens?: 'jwt' | 'opaque';
  readonly expiresInSeconds?: number;
  readonly now: () => Date;
}

/** A stand-in for an operator's identity provider: the client credentials grant and nothing else. */
export interface OAuthServer {
  readonly issuer: string;
  readonly tokenUrl: string;
  /** Did this server issue `token`, and is it still good? */
  accepts(token: string): boolean;
  /** How many tokens it has issued. */
  readonly issued: number;
  stop(): Promise<void>;
}

interface Client {
  readonly id: string;
  readonly secret: string;
}

export async function startOAuthServer(options: OAuthOptions): Promise<OAuthServer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyId = randomUUID();
  const goodUntil = new Map<string, number>();
  const issue = (issuer: string) => {
    const seconds = Math.floor(options.now().getTime() / 1000);
    const expiresIn = options.expiresInSeconds ?? 3600;
    const subject = options.subject ?? `${options.clientId}@clients`;
    const claims = { iss: issuer, sub: subject, aud: options.audience, iat: seconds, exp: seconds + expiresIn };
    const token = options.tokens === 'opaque' ? randomUUID() : jwt(privateKey, keyId, { ...claims, jti: randomUUID() });
    goodUntil.set(token, (seconds + expiresIn) * 1000);
    return { access_token: token, token_type: 'Bearer', expires_in: expiresIn };
  };

  const server = await listenOnLoopback((request, response) => {
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: keyId, use: 'sig', alg: 'RS256' }] };
    answer(request, response, { issuer: server.origin, jwks, options, issue }).catch(() => response.destroy());
  });
  return {
    issuer: server.origin,
    tokenUrl: `${server.origin}/oauth/token`,
    accepts: (token) => (goodUntil.get(token) ?? 0) > options.now().getTime(),
    get issued() {
      return goodUntil.size;
    },
    stop: server.stop,
  };
}

interface Desk {
  readonly issuer: string;
  readonly jwks: unknown;
  readonly options: OAuthOptions;
  readonly issue: (issuer: string) => unknown;
}

async function answer(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /.well-known/jwks.json') return sendJson(response, 200, desk.jwks);
  if (/^GET \/\.well-known\/(openid-configuration|oauth-authorization-server)$/.test(route)) {
    return sendJson(response, 200, {
      issuer: desk.issuer,
      token_endpoint: `${desk.issuer}/oauth/token`,
      jwks_uri: `${desk.issuer}/.well-known/jwks.json`,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    });
  }
  if (route !== 'POST /oauth/token') return sendJson(response, 404, { error: 'not_found' });
  const form = new URLSearchParams(await bodyOf(request));
  const client = clientOf(request.headers.authorization, form);
  if (!equal(client.id, desk.options.clientId) || !equal(client.secret, desk.options.clientSecret)) {
    return sendJson(response, 401, { error: 'invalid_client' });
  }
  if (form.get('grant_type') !== 'client_credentials')
    return sendJson(response, 400, { error: 'unsupported_grant_type' });
  const audience = form.get('audience');
  if (audience !== null && audience !== desk.options.audience)
    return sendJson(response, 403, { error: 'access_denied' });
  sendJson(response, 200, desk.issue(desk.issuer));
}

/** RFC 6749, 2.3.1: form-encoded pair in a Basic header, or two fields of the form. */
function clientOf(header: string | undefined, form: URLSearchParams): Client {
  const basic = /^Basic (.+)$/i.exec(header ?? '')?.[1];
  if (basic === undefined) return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':');
  const decode = (part: string) => decodeURIComponent(part.replaceAll('+', ' '));
  return { id: decode(id), secret: decode(secret) };
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function jwt(key: KeyObject, kid: string, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}
