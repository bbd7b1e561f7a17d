import type { Agent, IncomingMessage, RequestOptions } from 'node:http';
import { isNativeError } from 'node:util/types';
import { LedgerholdError } from '../core/errors.ts';
import {
  BodyTooLarge,
  EncodedBody,
  HostUnreachable,
  RedirectRefused,
  RequestTimedOut,
  TlsFailed,
} from './http-errors.ts';
import { checkedLookup, guardUrl, type Outbound, type Resolve, systemResolve } from './http-guard.ts';

export interface HttpSettings {
  /** Until TLS is up. Default 5,000. */
  readonly connectMs?: number;
  /** The whole call, body included. Default 30,000. */
  readonly totalMs?: number;
  /** Default 4 MiB. */
  readonly maxBytes?: number;
  /** PEM of an authority to believe in place of the machine's. */
  readonly ca?: string;
  readonly resolve?: Resolve;
  /** Connections are used again, by this function's calls alone. Default: each call has one of its own. */
  readonly keepAlive?: boolean;
}

export interface HttpCall {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** What errors call it, where even its origin and path may be a secret. Default: origin and path. */
  readonly name?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whoever asked for a secret zeroes it. */
  readonly body: Buffer;
}

/**
 * One call, one answer of any status but 3xx; nothing is retried, followed or unpacked. Rejects with `OriginNotAllowed`,
 * `AddressRefused`, `HostUnreachable`, `RequestTimedOut`, `TlsFailed`, `RedirectRefused`, `BodyTooLarge`, `EncodedBody`,
 * or what `signal` was aborted with. No error holds a header, a query or a body.
 */
export type Http = (url: string, call?: HttpCall) => Promise<HttpAnswer>;

export function guardedHttp(outbound: Outbound, settings: HttpSettings = {}): Http {
  const { connectMs = 5_000, totalMs = 30_000, maxBytes = 4 << 20, ca, resolve = systemResolve } = settings;
  const agents = new Map<string, Agent>();
  return async (text, { method = 'GET', headers = {}, body, signal, name } = {}) => {
    const url = guardUrl(text, outbound);
    const where = name ?? `${url.origin}${url.pathname}`;
    const lookup = checkedLookup(outbound.origins.includes(url.origin), resolve);
    const deadline = deadlineOf(new RequestTimedOut(where, 'answer', totalMs), totalMs, signal);
    const options = {
      ...{ method, lookup, signal: deadline.signal, ...(ca !== undefined && { ca }) },
      headers: { ...headers, 'accept-encoding': 'identity' },
      // Made for this call, or for an earlier one of this function: to an address that was checked in either case.
      agent: settings.keepAlive === true ? await agentFor(url.protocol, agents) : false,
    } as const;
    let answer: IncomingMessage | undefined;
    try {
      answer = await send(url, options, body, new RequestTimedOut(where, 'connect', connectMs), connectMs);
      return await read(answer, url, where, maxBytes);
    } catch (error) {
      throw deadline.signal.aborted ? deadline.signal.reason : translated(error, where);
    } finally {
      deadline.clear();
      answer?.destroy();
    }
  };
}

/** More at once would wait for the same node. */
const MOST_SOCKETS = 4;

async function agentFor(protocol: string, agents: Map<string, Agent>): Promise<Agent> {
  const known = agents.get(protocol);
  if (known !== undefined) return known;
  const { Agent } = await (protocol === 'https:' ? import('node:https') : import('node:http'));
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS });
  agents.set(protocol, agent);
  return agent;
}

/** Resolves when status and headers are there. */
async function send(
  url: URL,
  options: RequestOptions,
  body: string | undefined,
  tooSlow: Error,
  connectMs: number,
): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  // Imported at the top, `node:http` would load all of Node's web platform: a third of a Lambda's cold start.
  const { request } = await (secure ? import('node:https') : import('node:http'));
  const answered = Promise.withResolvers<IncomingMessage>();
  const call = request(url, options);
  const timer = setTimeout(() => call.destroy(tooSlow), connectMs);
  const stop = () => clearTimeout(timer);
  call.once('socket', (socket) => {
    // One that is used again is connected: it would keep a listener for each call.
    if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', stop);
    else stop();
  });
  call.once('close', stop);
  call.once('response', answered.resolve);
  call.on('error', answered.reject);
  call.end(body);
  return answered.promise;
}

async function read(answer: IncomingMessage, url: URL, where: string, maxBytes: number): Promise<HttpAnswer> {
  const headers = new Map(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
  const { statusCode: status = 0 } = answer;
  if (status >= 300 && status < 400) {
    const target = URL.parse(headers.get('location') ?? '', url.href)?.origin ?? 'nowhere';
    throw new RedirectRefused(where, status, target);
  }
  if ((headers.get('content-encoding') ?? 'identity') !== 'identity') throw new EncodedBody(where);
  return { status, headers, body: await bounded(answer, maxBytes, new BodyTooLarge(where, maxBytes)) };
}

/** Counts what comes, whatever was announced. */
async function bounded(source: AsyncIterable<Buffer>, limit: number, tooLarge: Error): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of source) {
      pieces.push(piece);
      size += piece.length;
      if (size > limit) throw tooLarge;
    }
    return Buffer.concat(pieces);
  } finally {
    // What was read may be a secret.
    for (const piece of pieces) piece.fill(0);
  }
}

/** Not `AbortSignal.any` over a timeout: a collected one never fires. */
function deadlineOf(reason: Error, milliseconds: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(reason), milliseconds);
  const forward = () => controller.abort(signal?.reason);
  if (signal?.aborted === true) forward();
  signal?.addEventListener('abort', forward, { once: true });
  const clear = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forward);
  };
  return { signal: controller.signal, clear };
}

const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA)/;

function translated(error: unknown, where: string): unknown {
  if (error instanceof LedgerholdError || !isNativeError(error)) return error;
  // A parser's error carries the bytes of the answer: no cause.
  if (error.name === 'HTTPParserError') return new HostUnreachable(where, 'its answer is not HTTP');
  const code = codeOf(error);
  if (code === undefined) return error;
  if (TLS_CODES.test(code)) return new TlsFailed(where, code, { cause: error });
  return new HostUnreachable(where, code, { cause: error });
}

/** Of several addresses tried, the first one's. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  const [first] = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return isNativeError(first) ? codeOf(first) : undefined;
}
