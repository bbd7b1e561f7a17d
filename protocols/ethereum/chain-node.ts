import type { Http } from '../../io/http.ts';
import { jsonRpc } from '../../io/json-rpc.ts';
import { blockReader } from './block-answer.ts';
import { type BlockWay, type Client, clientOf, isNoMethod, waysOf } from './clients.ts';
import { keccak256 } from './keccak.ts';
import { type AskedNode, callOne, finalizedOf, hashesOf, headOf } from './node-calls.ts';
import type { Patience } from './patience.ts';
import { type BlockSource, blocksInOrder } from './raw-blocks.ts';

/**
 * A node of a chain, as far as it is read. Numbers of blocks are safe integers, hashes `0x` and 64 digits in lower case.
 * A call rejects with an error that calls the node by this
 * name and shows neither path nor query of its URL, or with what `signal` was aborted with.
 */
export interface ChainNode {
  /** As the config names it. */
  readonly name: string;
  /** The number of the newest block it has. */
  head(signal?: AbortSignal): Promise<number>;
  /** Of the newest block that the chain calls final; undefined where it has no such notion. */
  finalized(signal?: AbortSignal): Promise<number | undefined>;
  /** What it calls these blocks, in the order asked; undefined for one it does not have. One round of calls. */
  hashes(numbers: readonly number[], signal?: AbortSignal): Promise<readonly (string | undefined)[]>;
  /**
   * Raw RLP of `first` to `last`, both included, in order, as export files hold them; each piece is one block, and has
   * the number that was asked for. Whether each follows the one before it is for whoever keeps them to verify.
   */
  blocks(first: number, last: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface ChainNodeSettings extends Patience {
  readonly name: string;
  /** May hold a secret in its path or query. */
  readonly url: string;
  /** A hint; which client it is, the node says. */
  readonly client: Client;
  /** Must take answers of `RPC_BODY_BYTES`. */
  readonly http: Http;
  /** Hears what somebody should know, once each: that the node is another client than the config says. */
  readonly warn?: (text: string) => void;
}

/** The largest block that there is (`MOST_BLOCK_BYTES`), in hexadecimal, and some room: also for a whole usual batch. */
export const RPC_BODY_BYTES = 24 << 20;

/** Makes no call. Which way it gives blocks in is found out when the first ones are asked for. */
export function openChainNode(settings: ChainNodeSettings): ChainNode {
  const node: AskedNode = { name: settings.name, rpc: jsonRpc(settings), patience: settings };
  let source: BlockSource | undefined;
  return {
    name: settings.name,
    head: async (signal = never()) => await headOf(node, signal),
    finalized: async (signal = never()) => await finalizedOf(node, signal),
    hashes: async (numbers, signal = never()) => await hashesOf(node, numbers, signal),
    async *blocks(first, last, signal = never()) {
      source ??= await sourceOf(node, settings, first, signal);
      yield* blocksInOrder(source, first, last, signal);
    },
  };
}

const never = (): AbortSignal => new AbortController().signal;

/** Asks the node who it is, and for the first block in one way after the other until there is one that it knows. */
async function sourceOf(
  node: AskedNode,
  settings: ChainNodeSettings,
  first: number,
  signal: AbortSignal,
): Promise<BlockSource> {
  const version = await callOne(node, { method: 'web3_clientVersion', params: [] }, signal);
  const said = 'result' in version && typeof version.result === 'string' ? version.result : '';
  const told = clientOf(said);
  const { client, name, warn } = settings;
  if (told !== undefined && told !== client) warn?.(`${name} is ${told}, and the config says ${client}`);
  const way = await knownWay(node, waysOf(told, client), first, signal);
  return { node, way, read: blockReader(node, way, await keccak256()) };
}

/** The last one every node knows. */
async function knownWay(
  node: AskedNode,
  ways: readonly [BlockWay, ...BlockWay[]],
  first: number,
  signal: AbortSignal,
): Promise<BlockWay> {
  for (const way of ways.slice(0, -1)) {
    const outcome = await callOne(node, way.call(first), signal);
    if (!('error' in outcome) || !isNoMethod(outcome.error)) return way;
  }
  return ways.at(-1) ?? ways[0];
}
