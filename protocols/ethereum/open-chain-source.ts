import type { FileCompression } from '../../core/chain.ts';
import type { Clock } from '../../core/ports.ts';
import type { Http } from '../../io/http.ts';
import { jsonRpc } from '../../io/json-rpc.ts';
import { agree } from './agreement.ts';
import type { ChainSource } from './chain-source.ts';
import type { Client } from './dialects.ts';
import { openChainNode } from './open-chain-node.ts';

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

/** Opens calls to exactly the origins of these addresses. */
export type HttpTo = (urls: readonly string[]) => Http;

export function openChainNodes({ client, monitor, validators }: ChainAddresses, httpTo: HttpTo) {
  const http = httpTo([monitor, ...validators].map(({ url }) => url));
  const nodeOf = ({ name, url }: RpcAddress) => openChainNode({ name, client, rpc: jsonRpc(http, url, name) });
  return { monitor: nodeOf(monitor), validators: validators.map(nodeOf) };
}

export function openChainSource(addresses: ChainAddresses, httpTo: HttpTo, clock: Clock): ChainSource {
  const { client, agreement, confirmations, blocksPerFile, compression } = addresses;
  const nodes = openChainNodes(addresses, httpTo);
  return {
    ...{ client, monitor: nodes.monitor, blocksPerFile, compression },
    agree: (lowest, highest, signal) =>
      agree(lowest, highest, { ...nodes, rule: agreement, clock, signal, confirmations }),
  };
}
