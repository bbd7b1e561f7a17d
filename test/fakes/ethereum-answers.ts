import { type BlockFault, faultyBlock } from './block-faults.ts';
import { blockJson, ommerJson } from './block-json.ts';
import type { ChainBlock } from './chain-blocks.ts';
import type { Behaviour } from './ethereum-dialects.ts';

export interface Asked {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What one call is answered; undefined: nothing at all. */
export function answersOf(
  dialect: Behaviour,
  blocks: ReadonlyMap<number, ChainBlock>,
  state: { readonly head: number; readonly finalized: number | undefined },
  version: string | undefined,
  faultOf: (number: number) => BlockFault | undefined,
): (asked: Asked) => object | undefined {
  const at = (number: number): ChainBlock | undefined => (number <= state.head ? blocks.get(number) : undefined);

  /** The number that a parameter names; undefined for one that names none. */
  function numberOf(parameter: unknown): number | undefined {
    if (parameter === 'latest') return state.head;
    if (parameter === 'earliest') return 0;
    if (parameter === 'finalized' && dialect.tags) return state.finalized;
    return typeof parameter === 'string' && /^0x[0-9a-f]+$/.test(parameter) ? Number(parameter) : undefined;
  }

  function answer({ method, params }: Asked): object | undefined {
    if (method === 'web3_clientVersion') return { result: version ?? dialect.version };
    if (method === 'eth_blockNumber') return { result: `0x${state.head.toString(16)}` };
    if (method === dialect.raw?.method) {
      const number = dialect.raw.numberOf(params[0]);
      return number === undefined ? { error: dialect.badArgument } : rawAnswer(number);
    }
    if (method === 'eth_getBlockByNumber') return shown(params);
    if (method === 'eth_getUncleByBlockNumberAndIndex') {
      const block = at(numberOf(params[0]) ?? -1);
      return { result: block === undefined ? null : ommerJson(block.bytes, Number(params[1])) };
    }
    return { error: { code: -32601, message: `the method ${method} does not exist/is not available` } };
  }

  function rawAnswer(number: number): object | undefined {
    const block = at(number);
    const fault = faultOf(number);
    if (fault !== undefined) return faultyBlock(fault, block?.bytes ?? Buffer.alloc(0), dialect.raw?.prefix ?? '');
    return block === undefined
      ? dialect.absent(number)
      : { result: dialect.raw?.prefix + Buffer.from(block.bytes).toString('hex') };
  }

  function shown([parameter, full]: readonly unknown[]): object | undefined {
    const number = numberOf(parameter);
    if (number === undefined) return { error: parameter === 'finalized' ? dialect.noFinalized : dialect.badArgument };
    const block = at(number);
    const fault = faultOf(number);
    if (fault !== undefined && (typeof fault !== 'object' || !('bytes' in fault)))
      return faultyBlock(fault, Buffer.alloc(0), '');
    const bytes = fault?.bytes ?? block?.bytes;
    if (bytes === undefined || block === undefined) return { result: null };
    return {
      result: {
        ...blockJson(bytes, block.hash(), full === true),
        ...(fault?.hash === undefined ? {} : { hash: fault.hash }),
      },
    };
  }

  return answer;
}
