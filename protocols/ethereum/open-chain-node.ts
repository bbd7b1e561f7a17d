import { setTimeout as sleep } from 'node:timers/promises';
import { NodeBehind, NodeUnavailable } from '../../core/chain.ts';
import { LedgerholdError } from '../../core/errors.ts';
import { BatchRefused, type Rpc, type RpcAnswer, type RpcCall, RpcUnusable } from '../../io/json-rpc.ts';
import { batchSize } from './batch-size.ts';
import type { ChainNode } from './chain-node.ts';
import { bytesOfHex, type Client, DIALECTS, isUnknownMethod, quantity, type RawDialect, saidBy } from './dialects.ts';
import { BlockDamaged } from './errors.ts';
import { blockRebuilder } from './json-block.ts';
import { keccak256 } from './keccak.ts';
import { newLayout, readLayout } from './layout.ts';
import { HistoryPruned, NoRawBlocks } from './rpc-errors.ts';

export interface ChainNodeProps {
  readonly name: string;
  /** What the config says; the node itself decides how blocks are asked for. */
  readonly client: Client;
  readonly rpc: Rpc;
  /** Milliseconds between attempts; tests do not wait. */
  readonly pause?: (milliseconds: number, signal?: AbortSignal) => Promise<unknown>;
  /** From 0 to 1, for pauses that do not fall together. */
  readonly random?: () => number;
}

/** Batches on their way at once: one is being read while the next is being made. More gained nothing on real nodes. */
const IN_FLIGHT = 2;
/** 0.5 + 1 + 2 s at most: what is gone for longer is for the workflow's own retries. */
const PAUSES_MS = [500, 1000, 2000] as const;
/** Hashes asked for at once. */
const HASHES_AT_ONCE = 100;

/** A node by its JSON-RPC. Rejects with `NodeUnavailable`, `NodeBehind`, `HistoryPruned`, `NoRawBlocks`, `BlockNotRebuilt`, `BlockDamaged`. */
export function openChainNode(props: ChainNodeProps): ChainNode {
  const { name, client } = props;
  const call = patient(props);
  const one = async (method: string, params: readonly unknown[], signal?: AbortSignal) =>
    (await call([{ method, params }], signal))[0];
  const size = batchSize();
  let known: Way | undefined;
  const node: ChainNode = {
    name,
    head: async (signal) => {
      const answer = await one('eth_blockNumber', [], signal);
      const head = answer !== undefined && 'result' in answer ? numberOf(answer.result) : undefined;
      if (head === undefined) throw unavailable(name, `it does not tell its height${wordsOf(answer)}`);
      return head;
    },
    finalized: async (signal) => {
      const answer = await one('eth_getBlockByNumber', ['finalized', false], signal);
      // Where the chain has no such notion, clients answer with errors of many kinds.
      return answer !== undefined && 'result' in answer ? headerOf(answer.result)?.number : undefined;
    },
    hashes: async (numbers, signal) => {
      const found: (string | undefined)[] = [];
      for (let at = 0; at < numbers.length; at += HASHES_AT_ONCE) {
        const page = numbers.slice(at, at + HASHES_AT_ONCE);
        const answers = await call(
          page.map((number) => ({ ...BY_NUMBER, params: [quantity(number), false] })),
          signal,
        );
        found.push(...page.map((number, n) => hashIn(answers[n], number, name)));
      }
      return found;
    },
    blocks: (first, last, signal) => blocks({ name, node, size, call, way }, first, last, signal),
  };

  /** The first that the node knows, asked with a block that is wanted anyway. */
  async function way(number: number, signal?: AbortSignal): Promise<Way> {
    if (known !== undefined) return known;
    for (const each of [...DIALECTS[client].map((dialect) => rawWay(dialect, name)), await jsonWay(call, name)]) {
      const [answer] = await call([each.call(number)], signal);
      if (isUnknownMethod(answer)) continue;
      known = each;
      return each;
    }
    throw new NoRawBlocks(name);
  }
  return node;
}

const BY_NUMBER = { method: 'eth_getBlockByNumber' } as const;

interface Reader {
  readonly name: string;
  readonly node: ChainNode;
  readonly size: ReturnType<typeof batchSize>;
  readonly call: Rpc;
  readonly way: (number: number, signal?: AbortSignal) => Promise<Way>;
}

async function* blocks(reader: Reader, first: number, last: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const way = await reader.way(first, signal);
  const coming: Promise<Uint8Array[]>[] = [];
  let next = first;
  const send = () => {
    const count = Math.min(reader.size.items(), last - next + 1);
    const batch = batchOf(reader, way, next, count, signal);
    // Heard of when it is its turn; until then nobody listens.
    batch.catch(() => {});
    coming.push(batch);
    next += count;
  };
  while (next <= last || coming.length > 0) {
    while (next <= last && coming.length < IN_FLIGHT) send();
    for (const block of (await coming.shift()) ?? []) yield block;
  }
}

/** All of `count` blocks from `start`, in as many requests as it takes. */
async function batchOf(reader: Reader, way: Way, start: number, count: number, signal?: AbortSignal) {
  const found: Uint8Array[] = [];
  while (found.length < count) {
    const from = start + found.length;
    const asked = Math.min(count - found.length, reader.size.items());
    const answers = await answersTo(reader, way, from, asked, signal);
    const before = found.length;
    for (const [n, answer] of answers.entries()) {
      const block = await blockIn(reader, way, answer, from + n, n > 0, signal);
      if (block === undefined) break;
      found.push(block);
    }
    const got = found.slice(before);
    if (answers.length === asked && got.length === asked) reader.size.came(got);
    else reader.size.refused(asked);
  }
  return found;
}

/** Empty: the node refuses so many at once. */
async function answersTo(reader: Reader, way: Way, from: number, count: number, signal?: AbortSignal) {
  const calls = Array.from({ length: count }, (_, n) => way.call(from + n));
  try {
    return await reader.call(calls, signal);
  } catch (error) {
    if (error instanceof BatchRefused && count > 1) return [];
    throw error;
  }
}

/** Undefined: to be asked again, since it was one too many. */
async function blockIn(
  { name, node }: Reader,
  way: Way,
  answer: RpcAnswer | undefined,
  number: number,
  inCompany: boolean,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const said = saidBy(answer, (result) => (way.isThere(result) ? { result } : undefined));
  if (said.kind === 'block') return checked(await way.bytes(said.value.result, number, signal), number, name);
  if (said.kind === 'again' && inCompany) return undefined;
  if (said.kind === 'pruned') throw new HistoryPruned(name, number);
  if (said.kind === 'error') throw unavailable(name, `block ${number}: ${said.text}`);
  if (said.kind === 'again') throw unavailable(name, `it gives no answer about block ${number}, even by itself`);
  const head = await node.head(signal);
  if (head < number)
    throw new NodeBehind(`${name} has gone back to block ${head} while block ${number} was read`, WAIT);
  throw unavailable(name, `it has no block ${number}, and says that its height is ${head}`);
}

/** A way by which whole blocks are had from a node. */
interface Way {
  readonly call: (number: number) => RpcCall;
  readonly isThere: (result: unknown) => boolean;
  readonly bytes: (result: unknown, number: number, signal?: AbortSignal) => Uint8Array | Promise<Uint8Array>;
}

const rawWay = ({ call, hexOf }: RawDialect, name: string): Way => ({
  call,
  isThere: (result) => hexOf(result) !== undefined,
  bytes: (result, number) => bytesOfHex(hexOf(result) ?? '', number, name),
});

/** The last resort: put together from what is shown, and accepted only if the very hash comes out that the node tells. */
async function jsonWay(call: Rpc, name: string): Promise<Way> {
  const rebuild = blockRebuilder(await keccak256());
  return {
    call: (number) => ({ method: 'eth_getBlockByNumber', params: [quantity(number), true] }),
    isThere: (result) => headerOf(result) !== undefined,
    bytes: async (result, number, signal) => {
      const { uncles = [] } = result as { readonly uncles?: readonly unknown[] };
      const asked = uncles.map((_, n) => ({
        ...{ method: 'eth_getUncleByBlockNumberAndIndex', params: [quantity(number), quantity(n)] },
      }));
      const answers = asked.length === 0 ? [] : await call(asked, signal);
      const ommers = answers.map((answer) => {
        if (answer !== undefined && 'result' in answer) return answer.result;
        throw unavailable(name, `it does not show the ommers of block ${number}${wordsOf(answer)}`);
      });
      return rebuild(result, ommers);
    },
  };
}

const WAIT = 'Nothing is wrong with the history: the next run goes on when the node has caught up.';

const scratch = newLayout();

/** Whose block it is shows later; that it is the one that was asked for shows here. */
function checked(bytes: Uint8Array, number: number, name: string): Uint8Array {
  try {
    readLayout(bytes, 0, bytes.length, scratch);
  } catch (cause) {
    if (!(cause instanceof LedgerholdError)) throw cause;
    throw new BlockDamaged(`block ${number}: what ${name} answers is no block: ${cause.message}`);
  }
  if (scratch.number === number) return bytes;
  throw new BlockDamaged(`block ${number}: ${name} answers with block ${scratch.number}`);
}

function hashIn(answer: RpcAnswer | undefined, number: number, name: string): string | undefined {
  const said = saidBy(answer, headerOf);
  if (said.kind === 'absent' || said.kind === 'pruned') return undefined;
  if (said.kind === 'again') throw unavailable(name, `it gives no answer about block ${number}`);
  if (said.kind === 'error') throw unavailable(name, `block ${number}: ${said.text}`);
  if (said.value.number === number) return said.value.hash;
  throw unavailable(name, `asked for block ${number} it answers with block ${said.value.number}`);
}

function headerOf(result: unknown): { readonly number: number; readonly hash: string } | undefined {
  if (typeof result !== 'object' || result === null || !('number' in result) || !('hash' in result)) return undefined;
  const number = numberOf(result.number);
  const { hash } = result;
  if (number === undefined || typeof hash !== 'string' || !/^0x[0-9a-f]{64}$/i.test(hash)) return undefined;
  return { number, hash: hash.toLowerCase() };
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^0x[0-9a-f]{1,13}$/i.test(value) ? Number(value) : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? number : undefined;
}

/** Tries again what may heal within seconds; everything that then is left is `NodeUnavailable`. */
function patient({ name, rpc, pause = wait, random = Math.random }: ChainNodeProps): Rpc {
  return async (calls: readonly RpcCall[], signal) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await rpc(calls, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof LedgerholdError) || error.kind === 'usage' || error.kind === 'refused') throw error;
        if (error instanceof BatchRefused && calls.length > 1) throw error;
        const most = PAUSES_MS[attempt];
        const heals = error.kind === 'external' || error instanceof RpcUnusable;
        if (most === undefined || !heals) throw unavailable(name, error.message, error);
        await pause(most * (0.5 + random() / 2), signal);
      }
    }
  };
}

const wait = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, signal === undefined ? {} : { signal });

const wordsOf = (answer: RpcAnswer | undefined): string =>
  answer !== undefined && 'error' in answer ? ` (error ${answer.error.code}: ${answer.error.message})` : '';

const unavailable = (name: string, why: string, cause?: unknown): NodeUnavailable =>
  new NodeUnavailable(
    `${name}: ${why}`,
    'Look whether the node runs, and whether its JSON-RPC answers there with `eth` and `debug`.',
    ...(cause === undefined ? [] : [{ cause }]),
  );
