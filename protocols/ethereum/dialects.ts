import type { RpcAnswer, RpcCall } from '../../io/json-rpc.ts';
import { BlockDamaged } from './errors.ts';

/** A method by which a client gives out blocks as they are on the wire. */
export interface RawDialect {
  readonly name: string;
  readonly call: (number: number) => RpcCall;
  /** The block's bytes in hexadecimal, without `0x`; undefined: it is not there. */
  readonly hexOf: (result: unknown) => string | undefined;
}

export const quantity = (number: number): string => `0x${number.toString(16)}`;

/** geth since 1.11, Besu since 23.1, reth, EthereumJS. Above its head geth answers `"0x"`. */
const RAW_BLOCK: RawDialect = {
  name: 'debug_getRawBlock',
  call: (number) => ({ method: 'debug_getRawBlock', params: [quantity(number)] }),
  hexOf: (result) => (typeof result === 'string' && result !== '0x' ? result.replace(/^0x/, '') : undefined),
};

/** GoQuorum and older geth: a JSON number is asked for, and hexadecimal without `0x` comes back. */
const BLOCK_RLP: RawDialect = {
  name: 'debug_getBlockRlp',
  call: (number) => ({ method: 'debug_getBlockRlp', params: [number] }),
  hexOf: (result) => (typeof result === 'string' && result.length > 2 ? result.replace(/^0x/, '') : undefined),
};

export type Client = 'geth' | 'quorum' | 'besu';

/** What each client most likely knows comes first; the node is asked, and decides. */
export const DIALECTS: Readonly<Record<Client, readonly RawDialect[]>> = {
  geth: [RAW_BLOCK, BLOCK_RLP],
  quorum: [BLOCK_RLP, RAW_BLOCK],
  besu: [RAW_BLOCK, BLOCK_RLP],
};

/** JSON-RPC's code for a method that there is none of, Besu's for one that is not enabled, and their words. */
export const isUnknownMethod = (answer: RpcAnswer | undefined): boolean =>
  answer !== undefined &&
  'error' in answer &&
  (answer.error.code === -32601 ||
    answer.error.code === -32604 ||
    /method .*(?:not (?:available|enabled|found|supported)|does not exist)/i.test(answer.error.message));

/** What one answer about a block says. */
export type Said<T> =
  | { readonly kind: 'block'; readonly value: T }
  /** It has no such block. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'pruned' }
  /** Left out of the answer, or too much for it: to be asked again, with fewer others. */
  | { readonly kind: 'again' }
  | { readonly kind: 'error'; readonly text: string };

/** `read` makes the value, or undefined where the result says that there is none. */
export function saidBy<T>(answer: RpcAnswer | undefined, read: (result: unknown) => T | undefined): Said<T> {
  if (answer === undefined) return { kind: 'again' };
  if ('result' in answer) {
    const value = read(answer.result);
    return value === undefined ? { kind: 'absent' } : { kind: 'block', value };
  }
  const { code, message } = answer.error;
  if (code === 4444) return { kind: 'pruned' };
  if (code === -32003) return { kind: 'again' };
  // geth 1.13 crashes above its head, GoQuorum finds none there, Besu calls it unknown.
  if (/not found|crashed|unknown block/i.test(message)) return { kind: 'absent' };
  return { kind: 'error', text: `error ${code}: ${message}` };
}

/** The bytes of hexadecimal digits. Throws `BlockDamaged`, since `Buffer.from` would cut them short. */
export function bytesOfHex(digits: string, number: number, node: string): Uint8Array {
  const bytes = Buffer.from(digits, 'hex');
  if (bytes.length * 2 === digits.length) return bytes;
  throw new BlockDamaged(`block ${number}: what ${node} answers is not whole hexadecimal`);
}
