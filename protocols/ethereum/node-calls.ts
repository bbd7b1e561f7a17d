import type { JsonRpc, RpcBatch, RpcCall, RpcFailure, RpcOutcome } from '../../io/json-rpc.ts';
import { NotJsonRpc, RpcUnavailable } from '../../io/json-rpc-errors.ts';
import { hexNumber, isBusy, isNoFinality, isNotThere } from './clients.ts';
import { type Patience, patiently } from './patience.ts';
import { AnswerUnreadable, NodeRefused, OtherBlock } from './rpc-errors.ts';

/** A node that is asked, by its name in the config. */
export interface AskedNode {
  readonly name: string;
  readonly rpc: JsonRpc;
  readonly patience: Patience;
}

/** All calls, in as many requests as the node wants them in; tried again where that may help. Each has its answer. */
export async function callAll(
  node: AskedNode,
  calls: readonly RpcCall[],
  signal: AbortSignal,
): Promise<readonly RpcOutcome[]> {
  if (calls.length === 0) return [];
  const batch = await patiently(node.patience, signal, () => attempt(node, calls, signal));
  if (batch.kind === 'answers' && batch.outcomes.every((outcome) => outcome !== undefined)) return batch.outcomes;
  const [only] = calls;
  if (calls.length === 1) throw new NotJsonRpc(node.name, `it leaves ${only?.method} unanswered`);
  const half = calls.length >> 1;
  const first = await callAll(node, calls.slice(0, half), signal);
  return [...first, ...(await callAll(node, calls.slice(half), signal))];
}

async function attempt({ name, rpc }: AskedNode, calls: readonly RpcCall[], signal: AbortSignal): Promise<RpcBatch> {
  const batch = await rpc(calls, signal);
  if (batch.kind === 'answers') refuseBusy(name, batch.outcomes);
  return batch;
}

/** Throws `RpcUnavailable` if any of these says that too many calls were made. */
export function refuseBusy(name: string, outcomes: readonly (RpcOutcome | undefined)[]): void {
  for (const outcome of outcomes) {
    if (outcome !== undefined && 'error' in outcome && isBusy(outcome.error)) {
      throw new RpcUnavailable(name, outcome.error.message);
    }
  }
}

export async function callOne(node: AskedNode, call: RpcCall, signal: AbortSignal): Promise<RpcOutcome> {
  const [outcome] = await callAll(node, [call], signal);
  if (outcome === undefined) throw new NotJsonRpc(node.name, `it leaves ${call.method} unanswered`);
  return outcome;
}

const refusal = ({ name }: AskedNode, method: string, { code, message }: RpcFailure): NodeRefused =>
  new NodeRefused(name, method, code, message);

export async function headOf(node: AskedNode, signal: AbortSignal): Promise<number> {
  const method = 'eth_blockNumber';
  const outcome = await callOne(node, { method, params: [] }, signal);
  if ('error' in outcome) throw refusal(node, method, outcome.error);
  return numberOf(node, method, outcome.result);
}

const BY_NUMBER = 'eth_getBlockByNumber';

export async function finalizedOf(node: AskedNode, signal: AbortSignal): Promise<number | undefined> {
  const outcome = await callOne(node, { method: BY_NUMBER, params: ['finalized', false] }, signal);
  if ('result' in outcome) return outcome.result === null ? undefined : shownBlock(node, outcome.result).number;
  if (isNoFinality(outcome.error)) return undefined;
  throw refusal(node, BY_NUMBER, outcome.error);
}

export async function hashesOf(
  node: AskedNode,
  numbers: readonly number[],
  signal: AbortSignal,
): Promise<readonly (string | undefined)[]> {
  const calls = numbers.map((number) => ({ method: BY_NUMBER, params: [hexNumber(number), false] }));
  const outcomes = await callAll(node, calls, signal);
  return outcomes.map((outcome, at) => {
    const asked = numbers[at] ?? 0;
    if ('error' in outcome) {
      if (isNotThere(outcome.error)) return undefined;
      throw refusal(node, BY_NUMBER, outcome.error);
    }
    if (outcome.result === null) return undefined;
    const { number, hash } = shownBlock(node, outcome.result);
    if (number !== asked) throw new OtherBlock(node.name, asked, number);
    return hash;
  });
}

function shownBlock(node: AskedNode, value: unknown): { readonly number: number; readonly hash: string } {
  const { number, hash } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof hash !== 'string' || !/^0x[0-9a-f]{64}$/i.test(hash)) {
    throw new AnswerUnreadable(node.name, BY_NUMBER, 'a block without a hash');
  }
  return { number: numberOf(node, BY_NUMBER, number), hash: hash.toLowerCase() };
}

function numberOf({ name }: AskedNode, method: string, value: unknown): number {
  const number = typeof value === 'string' && /^0x[0-9a-f]{1,14}$/i.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new AnswerUnreadable(name, method, 'something that is no block’s number');
  return number;
}
