import { setTimeout as sleep } from 'node:timers/promises';
import { type FileCompression, NodeUnavailable } from '../../core/chain.ts';
import { LedgerholdError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import { guardedHttp } from '../../io/http.ts';
import { outboundTo } from '../../io/http-guard.ts';
import { agree } from './agreement.ts';
import { type ChainNode, openChainNode, RPC_BODY_BYTES } from './chain-node.ts';
import type { ChainSource } from './chain-source.ts';
import type { Client } from './clients.ts';

/** A node's JSON-RPC; `url` may hold a key, and is in no message. */
export interface RpcAddress {
  readonly name: string;
  readonly url: string;
}

/** A chain whose addresses are known. */
export interface ChainAddresses {
  readonly client: Client;
  readonly monitor: RpcAddress;
  readonly validators: readonly RpcAddress[];
  readonly agreement: 'all' | number;
  readonly confirmations: number;
  readonly blocksPerFile: number;
  readonly compression: FileCompression;
}

/** Calls go to exactly the origins of these addresses. `warn` hears of a node that is another client than the config says. */
export function openChainNodes(
  { client, monitor, validators }: ChainAddresses,
  warn: (text: string) => void = () => {},
) {
  const outbound = outboundTo([monitor, ...validators].map(({ url }) => url));
  const http = guardedHttp(outbound, { maxBytes: RPC_BODY_BYTES, keepAlive: true });
  const patience = { pause: wait, random: Math.random };
  const nodeOf = (address: RpcAddress) => translated(openChainNode({ ...address, ...patience, client, http, warn }));
  return { monitor: nodeOf(monitor), validators: validators.map(nodeOf) };
}

export function openChainSource(addresses: ChainAddresses, clock: Clock, warn?: (text: string) => void): ChainSource {
  const { client, agreement, confirmations, blocksPerFile, compression } = addresses;
  const nodes = openChainNodes(addresses, warn);
  return {
    ...{ client, monitor: nodes.monitor, blocksPerFile, compression },
    agree: (lowest, highest, signal) =>
      agree(lowest, highest, { ...nodes, rule: agreement, clock, signal, confirmations }),
  };
}

const wait = (seconds: number, signal: AbortSignal): Promise<void> => sleep(seconds * 1000, undefined, { signal });

/** Whatever the next call may get right is one class for who tries again later: a workflow names no other. */
function translated(node: ChainNode): ChainNode {
  const or = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw asUnavailable(error);
    }
  };
  return {
    name: node.name,
    head: (signal) => or(node.head(signal)),
    finalized: (signal) => or(node.finalized(signal)),
    hashes: (numbers, signal) => or(node.hashes(numbers, signal)),
    async *blocks(first, last, signal) {
      try {
        yield* node.blocks(first, last, signal);
      } catch (error) {
        throw asUnavailable(error);
      }
    },
  };
}

function asUnavailable(error: unknown): unknown {
  if (!(error instanceof LedgerholdError) || error.kind !== 'external') return error;
  return new NodeUnavailable(`${error.name}: ${error.message}`, error.remedy, { cause: error });
}
