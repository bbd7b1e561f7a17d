import type { RpcOutcome } from '../../io/json-rpc.ts';
import { type BlockWay, hexNumber, isNotThere, isPruned } from './clients.ts';
import { RlpInvalid } from './errors.ts';
import { blockRebuilder } from './json-block.ts';
import type { Keccak } from './keccak.ts';
import { newLayout, readLayout } from './layout.ts';
import { type AskedNode, callAll } from './node-calls.ts';
import { itemEnd } from './rlp.ts';
import { AnswerUnreadable, HistoryPruned, NodeRefused, OtherBlock } from './rpc-errors.ts';

/** What an answer holds: the bytes of the block of that number; undefined if the node does not have it. */
export type ReadBlock = (number: number, outcome: RpcOutcome, signal: AbortSignal) => Promise<Uint8Array | undefined>;

export function blockReader(node: AskedNode, way: BlockWay, keccak: Keccak): ReadBlock {
  const layout = newLayout();
  const rebuild = blockRebuilder(keccak);

  function numbered(number: number, bytes: Uint8Array): Uint8Array {
    try {
      if (itemEnd(bytes, 0, bytes.length) !== bytes.length) throw new RlpInvalid(0, 'more than a block');
      readLayout(bytes, 0, bytes.length, layout);
    } catch (error) {
      if (!(error instanceof RlpInvalid)) throw error;
      throw new AnswerUnreadable(node.name, way.name, `bytes for block ${number} that are no block: ${error.message}`, {
        cause: error,
      });
    }
    if (layout.number !== number) throw new OtherBlock(node.name, number, layout.number);
    return bytes;
  }

  return async (number, outcome, signal) => {
    if ('error' in outcome) {
      const { code, message } = outcome.error;
      if (isPruned(outcome.error)) throw new HistoryPruned(node.name, number);
      if (isNotThere(outcome.error)) return undefined;
      throw new NodeRefused(node.name, way.name, code, message);
    }
    const { result } = outcome;
    if (result === null) return undefined;
    if (way.gives === 'json') return numbered(number, rebuild(result, await ommersOf(node, number, result, signal)));
    const digits = typeof result === 'string' ? result.replace(/^0x/, '') : undefined;
    if (digits === '') return undefined;
    return numbered(number, bytesOf(node, way, number, digits));
  };
}

/** Node's own decoder ends without a word at the first digit that is none. */
function bytesOf(node: AskedNode, way: BlockWay, number: number, digits: string | undefined): Uint8Array {
  const bytes = digits === undefined || digits.length % 2 !== 0 ? undefined : Buffer.from(digits, 'hex');
  if (bytes !== undefined && digits !== undefined && bytes.length * 2 === digits.length) return bytes;
  throw new AnswerUnreadable(node.name, way.name, `something for block ${number} that is no whole hexadecimal`);
}

/** No chain's rules allow more than two. */
const MOST_OMMERS = 2;

/** Their headers, each by a call of its own. */
async function ommersOf(
  node: AskedNode,
  number: number,
  block: unknown,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const { uncles } = block as { readonly uncles?: unknown };
  if (!Array.isArray(uncles) || uncles.length > MOST_OMMERS) return [];
  const method = 'eth_getUncleByBlockNumberAndIndex';
  const calls = uncles.map((_, at) => ({ method, params: [hexNumber(number), hexNumber(at)] }));
  return (await callAll(node, calls, signal)).map((outcome) => {
    if ('result' in outcome) return outcome.result;
    throw new NodeRefused(node.name, method, outcome.error.code, outcome.error.message);
  });
}
