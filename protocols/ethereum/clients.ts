import type { RpcCall, RpcFailure } from '../../io/json-rpc.ts';

export const CLIENTS = ['geth', 'quorum', 'besu'] as const;
export type Client = (typeof CLIENTS)[number];

/** A way in which a node gives blocks. */
export interface BlockWay {
  readonly name: 'debug_getRawBlock' | 'debug_getBlockRlp' | 'eth_getBlockByNumber';
  readonly call: (number: number) => RpcCall;
  /** Bytes in hexadecimal, or JSON that they are put together from. */
  readonly gives: 'bytes' | 'json';
}

export const hexNumber = (number: number): string => `0x${number.toString(16)}`;

const RAW: BlockWay = {
  ...{ name: 'debug_getRawBlock', gives: 'bytes' },
  call: (number) => ({ method: 'debug_getRawBlock', params: [hexNumber(number)] }),
};
/** A number of JSON, and answers without `0x`: go-ethereum before 1.11, and GoQuorum, which was forked from it. */
const RLP: BlockWay = {
  ...{ name: 'debug_getBlockRlp', gives: 'bytes' },
  call: (number) => ({ method: 'debug_getBlockRlp', params: [number] }),
};
const JSON_BLOCK: BlockWay = {
  ...{ name: 'eth_getBlockByNumber', gives: 'json' },
  call: (number) => ({ method: 'eth_getBlockByNumber', params: [hexNumber(number), true] }),
};

/** In the order in which they are tried. */
const WAYS: Readonly<Record<Client, readonly [BlockWay, ...BlockWay[]]>> = {
  geth: [RAW, RLP, JSON_BLOCK],
  quorum: [RLP, RAW, JSON_BLOCK],
  besu: [RAW, RLP, JSON_BLOCK],
};

/** What the config says is only a hint: which way is used, the node decides. */
export const waysOf = (told: Client | undefined, configured: Client): readonly [BlockWay, ...BlockWay[]] =>
  WAYS[told ?? configured];

/** The client that a node says it is in `web3_clientVersion`; undefined for one without an entry here. */
export function clientOf(version: string): Client | undefined {
  if (/quorum/i.test(version)) return 'quorum';
  if (/^besu\//i.test(version)) return 'besu';
  return /^geth\//i.test(version) ? 'geth' : undefined;
}

/** -32601 of the specification; -32604 of Besu, for an API that is off; -32004 of EIP-1474. */
const NO_METHOD = new Set([-32601, -32604, -32004]);
/** An argument of another form is how a client says that its method of that name takes another. */
const BAD_ARGUMENT = -32602;

/** Does an error say that the node has no such method, for us at least? */
export const isNoMethod = ({ code, message }: RpcFailure): boolean =>
  NO_METHOD.has(code) ||
  code === BAD_ARGUMENT ||
  /\bmethod\b.*\bnot (?:\w+ )?(?:found|allowed|supported|available|exist|whitelisted|enabled)/i.test(message);

/** "method handler crashed": what geth up to 1.13 makes of a block that it does not have. */
export const isNotThere = ({ code, message }: RpcFailure): boolean =>
  code === -39001 ||
  (/not found|unknown block|method handler crashed/i.test(message) && !isNoMethod({ code, message }));

/** EIP-4444. */
export const isPruned = ({ code, message }: RpcFailure): boolean =>
  code === 4444 || /pruned history|history (?:has been |is )?pruned/i.test(message);

/** That many bytes at once, and not the block itself. */
export const isTooLarge = ({ code, message }: RpcFailure): boolean => code === -32003 && /too large/i.test(message);

/** EIP-1474 "limit exceeded", as those in front of nodes say it who count calls. */
export const isBusy = ({ code }: RpcFailure): boolean => code === -32005;

/** Does an error to the tag `finalized` say that this chain, or this client, has nothing of the kind? */
export const isNoFinality = (error: RpcFailure): boolean =>
  error.code === BAD_ARGUMENT || isNotThere(error) || (error.code === -32000 && /finalized|tag/i.test(error.message));
