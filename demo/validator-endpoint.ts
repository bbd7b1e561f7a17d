import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { listenOnLoopback, sendJson } from './loopback-server.ts';
import type { DemoKey, DemoParticipant } from './participant.ts';

/** Ways in which a validator's endpoint has been seen, or must be expected, to let a backup down. */
export type EndpointFault =
  | 'html'
  | 'redirect'
  | 'huge'
  | 'foreign'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'server-error'
  | 'stall'
  | 'truncated';

export interface EndpointOptions {
  readonly participant: DemoParticipant;
  /** `plaintext`: keys in clear, Canton's default. `kms`: only the names of keys that an outside service holds. */
  readonly keys?: 'plaintext' | 'kms';
  /** Is this bearer token an administrator's? */
  readonly accepts: (token: string) => boolean;
}

/** A stand-in for a Splice validator's admin API, which serves the participant's identities. */
export interface ValidatorEndpoint {
  /** What a config names as the identities' `url`: ends in `/api/validator`. */
  readonly url: string;
  /** From now on, answers so; undefined: as it should. */
  fail(fault: EndpointFault | undefined): void;
  /** How many times the identities were asked for. */
  readonly asked: number;
  stop(): Promise<void>;
}

const HUGE_BYTES = 40 * 1024 * 1024;
/** Real snapshots of a participant's topology make up most of a dump of about 100 kB. */
const SNAPSHOT_BYTES = 72 * 1024;

export async function startValidatorEndpoint(options: EndpointOptions): Promise<ValidatorEndpoint> {
  let fault: EndpointFault | undefined;
  let asked = 0;
  const server = await listenOnLoopback((request, response) => {
    const path = request.url?.replace(/^\/api\/validator/, '');
    if (path === '/readyz' || path === '/livez') return response.writeHead(200).end();
    if (path !== '/v0/admin/participant/identities') return sendJson(response, 404, { error: `no resource ${path}` });
    asked += 1;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !options.accepts(token))
      return sendJson(response, 401, { error: 'Authorization failed' });
    if (fault !== undefined) return FAULTS[fault](response, options);
    sendJson(response, 200, identitiesOf(options.participant, options.keys ?? 'plaintext'));
  });
  return {
    url: `${server.origin}/api/validator`,
    fail(next) {
      fault = next;
    },
    get asked() {
      return asked;
    },
    stop: server.stop,
  };
}

/** `NodeIdentitiesDump` of Splice's OpenAPI. The snapshot differs from one answer to the next, as the real one may. */
function identitiesOf({ id, keys }: DemoParticipant, held: 'plaintext' | 'kms') {
  return {
    id,
    keys: held === 'kms' ? keys.map(kmsKey) : keys.map(plaintextKey),
    authorizedStoreSnapshot: randomBytes(SNAPSHOT_BYTES).toString('base64'),
    version: '0.6.14',
  };
}

const plaintextKey = ({ keyPair, name }: DemoKey) => ({ keyPair: Buffer.from(keyPair).toString('base64'), name });

const kmsKey = ({ purpose, name, fingerprint }: DemoKey) => ({
  type: purpose === 'encryption' ? 'encryption' : 'signing',
  keyId: `arn:aws:kms:eu-central-1:000000000000:key/${fingerprint.slice(4, 36)}`,
  name,
});

const FAULTS: Record<EndpointFault, (response: ServerResponse, options: EndpointOptions) => void> = {
  html: (response) =>
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Sign in</title><h1>Sign in</h1>'),
  redirect: (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/elsewhere' }).end(),
  huge: (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.alloc(HUGE_BYTES, 0x20)),
  foreign: (response, { participant, keys }) => {
    const id = `PAR::somebody-else::1220${randomBytes(32).toString('hex')}`;
    sendJson(response, 200, identitiesOf({ ...participant, id }, keys ?? 'plaintext'));
  },
  unauthorized: (response) => sendJson(response, 401, { error: 'Authorization failed' }),
  forbidden: (response) => sendJson(response, 403, { error: 'The user is not a participant admin' }),
  'not-found': (response) => sendJson(response, 404, { error: 'The requested resource could not be found.' }),
  'server-error': (response) => sendJson(response, 500, { error: 'An internal error occurred' }),
  stall: (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":'),
  truncated: (response, { participant, keys }) => {
    const body = JSON.stringify(identitiesOf(participant, keys ?? 'plaintext'));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  },
};
