/**
 * The bytes of `source` in blocks: each fills the buffer that `bufferFor(index)` gives, but the last, which may be
 * shorter and is never empty. Ends with the reason of `signal` as soon as it aborts, even while the source is silent.
 */
export async function* blocks(
  source: AsyncIterable<Uint8Array>,
  bufferFor: (index: number) => Buffer,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let index = 0;
  let block: Buffer = Buffer.alloc(0);
  let filled = 0;
  for await (const chunk of abortable(source, signal)) {
    for (let taken = 0; taken < chunk.length; ) {
      if (filled === 0) block = bufferFor(index++);
      const part = chunk.subarray(taken, taken + block.length - filled);
      block.set(part, filled);
      taken += part.length;
      filled += part.length;
      if (filled < block.length) continue;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** `source`, until `signal` aborts: then it throws the reason at once. A source once begun is closed in every case. */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  // One promise per step, not a race against one long-lived promise: that would hold on to every chunk of the stream.
  let interrupt: (reason: unknown) => void = () => {};
  const onAbort = () => interrupt(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        interrupt = reject;
        iterator.next().then(resolve, reject);
      });
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited, since a silent source never answers; what we stop for is what the caller hears of, not how it ends.
    iterator.return?.().then(undefined, () => {});
  }
}
