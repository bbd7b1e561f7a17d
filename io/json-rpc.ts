import { isNativeError } from 'node:util/types';
import { LedgerholdError } from '../core/errors.ts';
import type { Http, HttpAnswer } from './http.ts';
import { BodyTooLarge } from './http-errors.ts';

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What came for one call. */
export type RpcAnswer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } };

/** All of a batch was refused for its size: fewer calls at once may be answered. */
export class BatchRefused extends LedgerholdError {
  override readonly name = 'BatchRefused';
  readonly kind = 'external';
  constructor(where: string, why: string, options?: ErrorOptions) {
    super(`${where} refuses so many calls at once: ${why}`, 'Raise the limits of the node’s JSON-RPC server.', options);
  }
}

/** What came back is no answer: no JSON, a status that says so, or an answer to something else. */
export class RpcUnusable extends LedgerholdError {
  override readonly name = 'RpcUnusable';
  readonly kind = 'external';
  constructor(where: string, why: string, options?: ErrorOptions) {
    const remedy = 'Look at what answers there: a proxy, another service, or a node that is starting.';
    super(`${where}: ${why}`, remedy, options);
  }
}

/**
 * Several calls in one request. Resolves to their answers in the order of the calls, undefined for each that none came
 * for. Rejects with `BatchRefused`, `RpcUnusable`, or as `Http` does.
 */
export type Rpc = (calls: readonly RpcCall[], signal?: AbortSignal) => Promise<(RpcAnswer | undefined)[]>;

/** `where` is for people: an address may hold a key. */
export function jsonRpc(http: Http, url: string, where: string): Rpc {
  return async (calls, signal) => {
    const requests = calls.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params }));
    // A single call as such: not every server takes a batch.
    const body = JSON.stringify(requests.length === 1 ? requests[0] : requests);
    const headers = { 'content-type': 'application/json' };
    const answer = await http(url, { method: 'POST', headers, body, ...(signal && { signal }) }).catch((error) => {
      if (error instanceof BodyTooLarge && calls.length > 1) throw new BatchRefused(where, error.message);
      throw error;
    });
    return inOrder(parsed(answer, where), calls.length, where);
  };
}

function parsed({ status, body }: HttpAnswer, where: string): unknown {
  if (status === 413) throw new BatchRefused(where, 'HTTP status 413');
  if (status !== 200) throw new RpcUnusable(where, `HTTP status ${status}`);
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    if (!isNativeError(cause)) throw cause;
    throw new RpcUnusable(where, 'its answer is not JSON');
  }
}

/** JSON-RPC's own words for a request that cannot be taken as it is, and Besu's for too many. */
const REFUSED = new Set([-32600, -32005, -32003]);

function inOrder(answer: unknown, count: number, where: string): (RpcAnswer | undefined)[] {
  const items = Array.isArray(answer) ? answer : [answer];
  const [only] = items;
  if (count > 1 && items.length === 1 && isError(only) && only.id !== 0) {
    const { code, message } = only.error;
    if (REFUSED.has(code)) throw new BatchRefused(where, message);
    throw new RpcUnusable(where, `error ${code} for all calls: ${message}`);
  }
  const answers: (RpcAnswer | undefined)[] = Array.from({ length: count }, () => undefined);
  for (const item of items) {
    const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
    if (typeof id !== 'number' || !(id in answers)) continue;
    if (isError(item)) answers[id] = { error: { code: item.error.code, message: item.error.message } };
    else if ('result' in item) answers[id] = { result: item.result };
  }
  return answers;
}

interface Failed {
  readonly id?: unknown;
  readonly error: { readonly code: number; readonly message: string };
}

function isError(item: unknown): item is Failed {
  if (typeof item !== 'object' || item === null || !('error' in item)) return false;
  const { error } = item;
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
}
