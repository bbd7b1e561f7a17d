/** A piece of a stream, and whether the stream ends with it. The bytes are valid only until the next piece is asked for. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/** Cuts a stream into pieces of exactly `size` bytes; the last has 1 to `size`, or 0 if the stream was empty. */
export async function* fixedChunks(source: AsyncIterable<Uint8Array>, size: number): AsyncIterable<Chunk> {
  const gathered = Buffer.alloc(size);
  let held = 0;
  try {
    for await (const bytes of source) {
      let from = 0;
      // Strictly more: a full piece is held back until a later byte shows that it is not the last.
      while (held + bytes.length - from > size) {
        const until = from + size - held;
        // Most bytes of a large source chunk are passed on as they lie; only the ends of chunks are copied together.
        if (held > 0) gathered.set(bytes.subarray(from, until), held);
        yield { bytes: held > 0 ? gathered : bytes.subarray(from, until), last: false };
        held = 0;
        from = until;
      }
      gathered.set(bytes.subarray(from), held);
      held += bytes.length - from;
    }
    yield { bytes: gathered.subarray(0, held), last: true };
  } finally {
    gathered.fill(0);
  }
}

/** What follows the head; whoever does not read it to its end calls `return`, which closes the source. */
export interface Rest extends AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  return(): Promise<IteratorResult<Uint8Array>>;
}

/**
 * Reads a stream's head, whose length `lengthOf` tells once it has seen enough (else undefined), at most `limit` bytes.
 * `head` is undefined if the stream ended, or the limit was passed, before the head was whole.
 */
export async function splitHead(
  source: AsyncIterable<Uint8Array>,
  lengthOf: (seen: Buffer) => number | undefined,
  limit: number,
): Promise<{ readonly head: Uint8Array | undefined; readonly rest: Rest }> {
  const iterator = source[Symbol.asyncIterator]();
  let seen: Buffer = Buffer.alloc(0);
  for (;;) {
    const length = lengthOf(seen);
    if (length !== undefined && seen.length >= length) {
      return { head: seen.subarray(0, length), rest: rejoin(seen.subarray(length), iterator) };
    }
    const next = seen.length > limit ? undefined : await iterator.next();
    if (next === undefined || next.done === true) return { head: undefined, rest: rejoin(seen, iterator) };
    seen = Buffer.concat([seen, next.value]);
  }
}

/** Not a generator: `return` on one that was never started would leave the source open. */
function rejoin(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): Rest {
  let pending = first.length > 0 ? first : undefined;
  const rest: Rest = {
    async next() {
      const value = pending;
      pending = undefined;
      return value === undefined ? await iterator.next() : { value, done: false };
    },
    async return() {
      await iterator.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]: () => rest,
  };
  return rest;
}
