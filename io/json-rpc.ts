import type { Http, HttpAnswer } from './http.ts';
import { BodyTooLarge } from './http-errors.ts';
import { NotJsonRpc, RpcRefused, RpcUnavailable } from './json-rpc-errors.ts';

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** An error object that was answered to one call. */
export interface RpcFailure {
  readonly code: number;
  /** One short line of plain characters, whatever was sent. */
  readonly message: string;
}

export type RpcOutcome = { readonly result: unknown } | { readonly error: RpcFailure };

export type RpcBatch =
  /** In the order of the calls; undefined for one that was not answered. `bytes`: of the whole answer. */
  | { readonly kind: 'answers'; readonly outcomes: readonly (RpcOutcome | undefined)[]; readonly bytes: number }
  /** Not that many at once, or not that much in one answer; never said of a single call. */
  | { readonly kind: 'too much'; readonly why: string };

/**
 * Makes some calls in one HTTP request; a single one is sent bare. Nothing is tried twice. Rejects with `NotJsonRpc`,
 * `RpcRefused`, `RpcUnavailable`, an error of `http`, or what `signal` was aborted with; each has the endpoint's name
 * where its URL would stand.
 */
export type JsonRpc = (calls: readonly RpcCall[], signal?: AbortSignal) => Promise<RpcBatch>;

export interface Endpoint {
  readonly name: string;
  /** May hold a secret in its path or query. */
  readonly url: string;
  readonly http: Http;
}

export function jsonRpc({ name, url, http }: Endpoint): JsonRpc {
  // No id is ever used again: what a cache or a retry brings of an earlier request answers nothing.
  let ids = 0;
  return async (calls, signal) => {
    const first = ids;
    ids += calls.length;
    const requests = calls.map((call, at) => ({ jsonrpc: '2.0', id: first + at, ...call }));
    const body = JSON.stringify(requests.length === 1 ? requests[0] : requests);
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const sent = { method: 'POST', headers, body, name, ...(signal && { signal }) } as const;
    try {
      return read(name, await http(url, sent), first, calls.length);
    } catch (error) {
      if (error instanceof BodyTooLarge && calls.length > 1) return { kind: 'too much', why: error.message };
      throw error;
    }
  };
}

function read(name: string, { status, body }: HttpAnswer, first: number, count: number): RpcBatch {
  // A server that takes no batches at all says 400.
  if (count > 1 && (status === 413 || status === 400)) return { kind: 'too much', why: `${name} answers ${status}` };
  if (status === 408 || status === 429 || status >= 500) throw new RpcUnavailable(name, `it answers ${status}`);
  if (status !== 200) throw new RpcRefused(name, status);
  const answers = parsed(name, body);
  const outcomes = Array.from<RpcOutcome | undefined>({ length: count });
  let matched = 0;
  for (const answer of answers) {
    const at = answer.id === undefined ? -1 : answer.id - first;
    if (at < 0 || at >= count) continue;
    if (outcomes[at] !== undefined) throw new NotJsonRpc(name, 'it answers one call twice');
    outcomes[at] = answer.outcome;
    matched += 1;
  }
  const [only] = answers;
  if (matched > 0 || only === undefined || !('error' in only.outcome)) {
    return { kind: 'answers', outcomes, bytes: body.length };
  }
  // One error object, of no call: it is about the request.
  if (count === 1) return { kind: 'answers', outcomes: [only.outcome], bytes: body.length };
  return { kind: 'too much', why: `${name} answers ${only.outcome.error.code} ${only.outcome.error.message}` };
}

interface Answer {
  readonly id: number | undefined;
  readonly outcome: RpcOutcome;
}

function parsed(name: string, body: Buffer): readonly Answer[] {
  const value = jsonOf(name, body);
  return (Array.isArray(value) ? value : [value]).map((one) => answerOf(name, one));
}

function jsonOf(name: string, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    // The parser's error quotes the answer: no cause.
    throw new NotJsonRpc(name, 'it answers 200, but not with JSON');
  }
}

function answerOf(name: string, value: unknown): Answer {
  if (typeof value !== 'object' || value === null) throw new NotJsonRpc(name, 'it answers JSON of another form');
  const { id: said, result, error } = value as { id?: unknown; result?: unknown; error?: unknown };
  const id = typeof said === 'number' ? said : undefined;
  if (error !== undefined && error !== null) return { id, outcome: { error: failureOf(error) } };
  if (result === undefined) throw new NotJsonRpc(name, 'it answers neither a result nor an error');
  return { id, outcome: { result } };
}

function failureOf(error: unknown): RpcFailure {
  const { code, message } = (typeof error === 'object' ? error : {}) as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  return {
    code: typeof code === 'number' && Number.isSafeInteger(code) ? code : 0,
    message: text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200),
  };
}
