import { type Destination, MemberUnavailable } from '../core/delivery.ts';
import type { Timer } from './abreast.ts';
import { abortable } from './blocks.ts';

/**
 * So long a destination may neither take a byte nor answer: longer than a server needs that is started again, or a disk
 * that has to write all that was held for it, and short beside the hour after which everybody is delivered to anew.
 */
export const SILENT_MINUTES = 10;
const SILENT_MS = SILENT_MINUTES * 60_000;

export interface Patience {
  readonly timer: Timer;
  /** Calls to the same place that were given up, and have not come back: while there are any, no other is begun. */
  readonly stuck: Set<Promise<unknown>>;
}

/** One call on its way. */
interface Call {
  /** Since when it is the store's turn; Infinity while it waits for bytes of ours. */
  theirTurn: number;
}

/**
 * The same destination for a caller that is not to wait for ever: of a store that is silent, as a mount whose server is
 * gone, every call rejects with `MemberUnavailable`. What cannot be broken off goes on by itself: an object that is put
 * by it later is whole, and nobody is told; the next delivery meets it.
 */
export function unlessSilent(destination: Destination, { timer, stuck }: Patience): Destination {
  const { url } = destination;
  // An object that is put, or a byte that is taken, shows of all calls that the store is there.
  let moved = timer.now();
  const silence = async (its: Call, end: AbortSignal): Promise<boolean> => {
    for (;;) {
      const left = Math.max(moved, its.theirTurn) + SILENT_MS - timer.now();
      if (left <= 0) return true;
      await timer.after(Math.min(left, SILENT_MS), end);
    }
  };
  const call = async <T>(work: (givenUp: AbortSignal, its: Call) => Promise<T>): Promise<T> => {
    if (stuck.size > 0) throw silent(url);
    const [end, givingUp] = [new AbortController(), new AbortController()];
    const its = { theirTurn: timer.now() };
    const answer = work(givingUp.signal, its);
    const answered = answer.then(() => false).catch(() => false);
    const isSilent = await Promise.race([answered, silence(its, end.signal)]);
    end.abort();
    if (!isSilent) {
      moved = timer.now();
      return answer;
    }
    stuck.add(answered);
    void answered.then(() => stuck.delete(answered));
    const error = silent(url);
    givingUp.abort(error);
    throw error;
  };
  async function* taken(bytes: AsyncIterable<Uint8Array>, its: Call, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    its.theirTurn = Infinity;
    try {
      for await (const chunk of abortable(bytes, signal)) {
        its.theirTurn = timer.now();
        yield chunk;
        moved = timer.now();
        its.theirTurn = Infinity;
      }
    } finally {
      its.theirTurn = timer.now();
    }
  }
  return {
    ...{ url, copies: destination.copies },
    put: (item, body, signal) =>
      call((givenUp, its) => {
        const either = AbortSignal.any([signal, givenUp]);
        return destination.put(item, () => taken(body(), its, either), either);
      }),
    check: (signal) => call(() => destination.check(signal)),
    ...(destination.read && {
      read: async (key, signal) => {
        const bytes = await call(async () => destination.read?.(key, signal));
        return bytes && eachOf(bytes, call);
      },
    }),
    ...(destination.mayRead && {
      mayRead: (signal) => call(async () => (await destination.mayRead?.(signal)) === true),
    }),
  };
}

/** The same bytes, each step a call of its own. */
async function* eachOf(
  bytes: AsyncIterable<Uint8Array>,
  call: (step: () => Promise<IteratorResult<Uint8Array>>) => Promise<IteratorResult<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await call(() => iterator.next());
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    // Not awaited, since it may be what never answers.
    iterator.return?.().then(undefined, () => {});
  }
}

const silent = (url: string): MemberUnavailable =>
  new MemberUnavailable(
    `${url} has not answered for ${SILENT_MINUTES} minutes`,
    'Look at the mount: whether its server is there, and whether `ls` answers. It is tried again by itself once it does.',
  );
