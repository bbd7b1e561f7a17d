import type { RpcOutcome } from '../../io/json-rpc.ts';
import { NotJsonRpc } from '../../io/json-rpc-errors.ts';
import { type BatchSize, batchSize } from './batch-size.ts';
import type { ReadBlock } from './block-answer.ts';
import { type BlockWay, isTooLarge } from './clients.ts';
import { type AskedNode, headOf, refuseBusy } from './node-calls.ts';
import { patiently } from './patience.ts';
import { BlockMissing, NodeRefused, NodeWentBackwards } from './rpc-errors.ts';

/** At once at most: one is on its way while one is read. More connections gained nothing, and each takes its memory. */
const IN_FLIGHT = 2;

export interface BlockSource {
  readonly node: AskedNode;
  readonly way: BlockWay;
  readonly read: ReadBlock;
}

/** `first` to `last` in order, in batches that follow what the node can bear. What is on its way at an early end is left. */
export async function* blocksInOrder(
  source: BlockSource,
  first: number,
  last: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const size = batchSize();
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const queue: Promise<readonly Uint8Array[]>[] = [];
  let next = first;
  const fill = () => {
    while (queue.length < IN_FLIGHT && next <= last) {
      const count = Math.min(size.next(), last - next + 1);
      const range = fetchRange(source, next, count, size, either);
      // Whoever waits for it hears of its failure; nobody may by then.
      range.catch(() => {});
      queue.push(range);
      next += count;
    }
  };
  try {
    for (;;) {
      fill();
      const range = queue.shift();
      if (range === undefined) return;
      yield* await range;
    }
  } finally {
    left.abort(new Error('nobody reads on'));
  }
}

async function fetchRange(
  source: BlockSource,
  first: number,
  count: number,
  size: BatchSize,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const got = new Map<number, Uint8Array>();
  let wanted = Array.from({ length: count }, (_, at) => first + at);
  /** Halves whenever nothing comes, whatever other ranges learn meanwhile: so this ends. */
  let most = count;
  while (wanted.length > 0) {
    let asked = wanted.slice(0, Math.min(most, size.next()));
    const before = got.size;
    await patiently(
      source.node.patience,
      signal,
      () => fetchSome(source, asked, got, size, signal),
      () => {
        size.refused(asked.length);
        asked = asked.slice(0, size.next());
      },
    );
    if (got.size === before) most = Math.max(1, asked.length >> 1);
    wanted = wanted.filter((number) => !got.has(number));
  }
  return Array.from({ length: count }, (_, at) => got.get(first + at) ?? new Uint8Array());
}

/** One request; takes what came of it into `got`. The rest is asked for again. */
async function fetchSome(
  source: BlockSource,
  asked: readonly number[],
  got: Map<number, Uint8Array>,
  size: BatchSize,
  signal: AbortSignal,
): Promise<void> {
  const { node, way } = source;
  const batch = await node.rpc(asked.map(way.call), signal);
  if (batch.kind === 'too much') return size.refused(asked.length);
  refuseBusy(node.name, batch.outcomes);
  let [came, tooLarge] = [0, false];
  for (const [at, number] of asked.entries()) {
    const outcome = batch.outcomes[at];
    const over = outcome !== undefined && 'error' in outcome && isTooLarge(outcome.error);
    tooLarge ||= over;
    if (outcome === undefined || over) {
      if (asked.length === 1) throw unanswered(source, outcome);
      continue;
    }
    const bytes = await source.read(number, outcome, signal);
    if (bytes === undefined) throw await absence(node, number, signal);
    got.set(number, bytes);
    came += 1;
  }
  if (tooLarge) size.refused(asked.length);
  else if (came > 0) size.took(came, batch.bytes);
}

/** A single call to which there is nothing that halving could help. */
function unanswered({ node, way }: BlockSource, outcome: RpcOutcome | undefined): Error {
  if (outcome === undefined || !('error' in outcome))
    return new NotJsonRpc(node.name, `it leaves ${way.name} unanswered`);
  return new NodeRefused(node.name, way.name, outcome.error.code, outcome.error.message);
}

/** Why a block is not there: the head says. */
async function absence(node: AskedNode, number: number, signal: AbortSignal): Promise<Error> {
  const head = await headOf(node, signal);
  return head < number ? new NodeWentBackwards(node.name, number, head) : new BlockMissing(node.name, number, head);
}
