import type { DumpReader, DumpReading } from './dump-reader.ts';
import { DumpDamaged } from './errors.ts';

/** A format read as its bytes come: yields when it needs more, and is told undefined when there are none. */
export type Parser<T> = Generator<undefined, T, Buffer | undefined>;

export interface Input {
  bytes: Buffer;
  /** Where the parser is within `bytes`. */
  at: number;
  /** Bytes of the stream before `bytes`. */
  before: number;
}

/** Work that goes on after the parser has asked for more bytes, and needs those it has had; drained at each push. */
export type Pending = Promise<void>[];

export function parsingReader(parse: (input: Input, pending: Pending) => Parser<DumpReading>): DumpReader {
  const pending: Pending = [];
  const parser = parse({ bytes: Buffer.alloc(0), at: 0, before: 0 }, pending);
  parser.next();
  return {
    push(bytes) {
      parser.next(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return pending.length === 0 ? undefined : Promise.all(pending.splice(0)).then(() => undefined);
    },
    end() {
      const result = parser.next(undefined);
      if (result.done === true) return result.value;
      throw new TypeError('the parser went on after the end');
    },
  };
}

/** Waits for bytes to follow those that have been read. False if there are none. */
export function* hasMore(input: Input): Parser<boolean> {
  while (input.at === input.bytes.length) {
    const next = yield;
    if (next === undefined) return false;
    input.before += input.bytes.length;
    input.bytes = next;
    input.at = 0;
  }
  return true;
}

/** The same, where the input must not end. */
export function* refill(input: Input, within: string): Parser<void> {
  if (yield* hasMore(input)) return;
  throw new DumpDamaged(`it ends after ${bytesRead(input)} bytes, within ${within}`);
}

export function* readByte(input: Input, within: string): Parser<number> {
  if (input.at === input.bytes.length) yield* refill(input, within);
  const byte = input.bytes.readUInt8(input.at);
  input.at += 1;
  return byte;
}

export const bytesRead = ({ before, at }: Input): number => before + at;
