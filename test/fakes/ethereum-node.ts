import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { bodyOf, serve } from '../support/loopback.ts';
import type { BlockFault, RpcError } from './block-faults.ts';
import { chainOf } from './chain-blocks.ts';
import { type Asked, answersOf } from './ethereum-answers.ts';
import { DIALECTS, type Dialect } from './ethereum-dialects.ts';

export interface EthereumNodeOptions {
  /** Of one chain and in order; the first may have any number. */
  readonly blocks: readonly Uint8Array[];
  /** Default `geth`. */
  readonly dialect?: Dialect;
  /** Default: the last block. */
  readonly head?: number;
  /** Undefined: the chain has no such notion. */
  readonly finalized?: number;
  /** Default: as the dialect’s client says. */
  readonly version?: string;
  readonly limits?: Limits;
  /** How long a fault of silence lasts. Default 30,000. */
  readonly silenceMs?: number;
}

/** Default: none but the dialect’s own on items. */
export interface Limits {
  readonly items?: number;
  readonly answerBytes?: number;
  readonly requestBytes?: number;
}

/** What becomes of one HTTP request; `ethereum-node.md` has what each means. */
export type CallFault =
  | { readonly status: number; readonly text?: string }
  | { readonly text: string }
  | { readonly error: RpcError; readonly bare?: boolean }
  | { readonly answers: 'half' | 'reversed' | 'twice' }
  | 'silence'
  | 'stall'
  | 'drop'
  | 'gzip bomb';

export interface EthereumNode extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Each HTTP request’s calls, in order. */
  readonly requests: readonly (readonly Asked[])[];
  setHead(number: number): void;
  setFinalized(number: number | undefined): void;
  /** What happens to the next requests, in order; then all is well again. */
  plan(...faults: readonly CallFault[]): void;
  /** What is answered for one block, `times` times; for ever by default. */
  spoil(number: number, fault: BlockFault, times?: number): void;
  /** Called before each request is answered, with how many came before it. */
  onRequest(listener: (before: number) => void): void;
}

interface Call extends Asked {
  readonly id: unknown;
}

/** A node that serves blocks over JSON-RPC as the clients do; specified in `ethereum-node.md`. */
export async function ethereumNode(options: EthereumNodeOptions): Promise<EthereumNode> {
  const dialect = DIALECTS[options.dialect ?? 'geth'];
  const limits = { items: dialect.items, ...options.limits };
  const blocks = await chainOf(options.blocks);
  const state = { head: options.head ?? Math.max(...blocks.keys()), finalized: options.finalized };
  const [faults, requests]: [CallFault[], Asked[][]] = [[], []];
  const spoilt = new Map<number, { readonly fault: BlockFault; left: number }>();
  let listener: (before: number) => void = () => {};
  const timers = new Set<NodeJS.Timeout>();

  const answer = answersOf(dialect, blocks, state, options.version, faultOf);

  function faultOf(number: number): BlockFault | undefined {
    const found = spoilt.get(number);
    if (found === undefined || found.left === 0) return undefined;
    found.left -= 1;
    return found.fault;
  }

  /** All answers of one request, up to the limit of bytes. */
  function answers(calls: readonly Call[]): object[] {
    let bytes = 0;
    return calls.flatMap((call) => {
      const own = answer(call);
      if (own === undefined) return [];
      bytes += JSON.stringify(own).length;
      const over = bytes > (limits.answerBytes ?? Number.POSITIVE_INFINITY);
      return [{ jsonrpc: '2.0', id: call.id, ...(over ? { error: TOO_LARGE } : own) }];
    });
  }

  function answered(calls: readonly Call[], batch: boolean, fault: CallFault | undefined): object {
    if (typeof fault === 'object' && 'error' in fault) return whole(fault.error, batch && fault.bare !== true);
    if (calls.length > limits.items) return whole(dialect.tooMany, dialect.refusesInArray);
    const all = answers(calls);
    const [only = {}] = all;
    if (!batch) return only;
    const twist = typeof fault === 'object' && 'answers' in fault ? fault.answers : 'all';
    if (twist === 'half') return all.slice(0, all.length >> 1);
    if (twist === 'reversed') return all.toReversed();
    return twist === 'twice' ? [...all, only] : all;
  }

  function later(response: ServerResponse, text: string): void {
    const timer = setTimeout(() => response.end(text), options.silenceMs ?? 30_000);
    timers.add(timer);
  }

  const server = await serve(async (request, response) => {
    const body = await bodyOf(request);
    if (body.length > (limits.requestBytes ?? Number.POSITIVE_INFINITY))
      return refuse(response, 413, 'content too large');
    const parsed = JSON.parse(body) as Call | Call[];
    const calls = [parsed].flat();
    listener(requests.length);
    requests.push(calls.map(({ method, params }) => ({ method, params })));
    const fault = faults.shift();
    if (fault === 'drop') return request.socket.destroy();
    if (typeof fault === 'object' && 'status' in fault) return refuse(response, fault.status, fault.text ?? '');
    if (fault === 'gzip bomb') return bomb(response);
    const text =
      typeof fault === 'object' && 'text' in fault
        ? fault.text
        : JSON.stringify(answered(calls, Array.isArray(parsed), fault));
    response.writeHead(200, { 'content-type': 'application/json' });
    if (fault === 'stall') response.write(text.slice(0, text.length >> 1));
    if (fault === 'silence' || fault === 'stall')
      return later(response, fault === 'stall' ? text.slice(text.length >> 1) : text);
    response.end(text);
  });

  return {
    url: server.origin,
    requests,
    setHead: (number) => {
      state.head = number;
    },
    setFinalized: (number) => {
      state.finalized = number;
    },
    plan: (...more) => void faults.push(...more),
    spoil: (number, fault, times = Number.POSITIVE_INFINITY) => void spoilt.set(number, { fault, left: times }),
    onRequest: (heard) => {
      listener = heard;
    },
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearTimeout(timer);
      await server[Symbol.asyncDispose]();
    },
  };
}

const TOO_LARGE: RpcError = { code: -32003, message: 'response too large' };

/** One error object for a whole request. */
function whole(error: RpcError, inArray: boolean): object {
  const one = { jsonrpc: '2.0', id: null, error };
  return inArray ? [one] : one;
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}

/** Fifty kilobytes that would unfold to fifty megabytes. */
function bomb(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  response.end(gzipSync(Buffer.alloc(50 << 20, ' '), { level: 1 }));
}
