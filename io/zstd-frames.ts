import { CompressionDamaged, WindowTooLarge } from './file-errors.ts';

/**
 * Walks the frames of a zstd stream (RFC 8878) without decompressing them. Node's decompressor stops silently behind
 * the first frame, and where one is cut; `zstd` itself does neither. Here a frame ends where its blocks say.
 */
export interface ZstdFrames {
  /** Goes to the next frame that holds data; false at the end of the stream. Each frame is read to its end first. */
  next(): Promise<boolean>;
  /** The bytes of the frame. */
  frame(): AsyncGenerator<Uint8Array>;
  /** Lets go of the source. */
  close(): Promise<void>;
}

/** Each file in work holds one: above it the bound on memory would not. `zstd -19` needs 8 MiB. */
export const MOST_WINDOW_BYTES = 16 * 1024 * 1024;

const MAGIC = 0xfd2fb528;
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

export function zstdFrames(source: AsyncIterable<Uint8Array>): ZstdFrames {
  const input = reader(source);

  async function next(): Promise<boolean> {
    for (;;) {
      if (!(await input.any())) return false;
      const magic = (await input.peek(4, 'a frame')).readUInt32LE();
      if (magic === MAGIC) return true;
      if (!isSkippable(magic)) throw new CompressionDamaged(`byte ${input.offset()}: no zstd frame begins here`);
      const size = (await input.peek(8, 'a frame')).readUInt32LE(4);
      for await (const _ of input.take(8 + size)) continue;
    }
  }

  async function* frame(): AsyncGenerator<Uint8Array> {
    const { length, checksum } = await frameHead(input);
    yield* input.take(length);
    for (let last = false; !last; ) {
      const block = (await input.peek(3, 'a block')).readUIntLE(0, 3);
      const [type, size] = [(block >> 1) & 3, block >> 3];
      last = (block & 1) === 1;
      if (type === 3) throw new CompressionDamaged(`byte ${input.offset()}: a zstd block of no known type`);
      yield* input.take(3 + (type === 1 ? 1 : size));
    }
    if (checksum) yield* input.take(4);
  }

  return { next, frame, close: input.close };
}

/** How long a frame's head is, and whether a checksum follows its blocks. */
async function frameHead(input: Reader): Promise<{ length: number; checksum: boolean }> {
  const descriptor = (await input.peek(5, 'a frame')).readUInt8(4);
  const single = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const size = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const length = 5 + (single ? 0 : 1) + dictionary + size;
  const head = await input.peek(length, 'a frame');
  if (!single) {
    const window = windowOf(head.readUInt8(5));
    if (window > MOST_WINDOW_BYTES) throw new WindowTooLarge(window, MOST_WINDOW_BYTES);
  } else {
    const content = contentOf(head.subarray(length - size));
    if (content > MOST_WINDOW_BYTES) throw new WindowTooLarge(content, MOST_WINDOW_BYTES);
  }
  return { length, checksum: (descriptor & 4) !== 0 };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** A frame of a single segment has its content as window. */
const contentOf = (field: Buffer): number =>
  field.length === 8
    ? Number(field.readBigUInt64LE())
    : field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0);

interface Reader {
  any(): Promise<boolean>;
  /** The next `size` bytes, which stay where they are. */
  peek(size: number, within: string): Promise<Buffer>;
  take(size: number): AsyncGenerator<Uint8Array>;
  offset(): number;
  close(): Promise<void>;
}

function reader(source: AsyncIterable<Uint8Array>): Reader {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let offset = 0;

  async function more(): Promise<boolean> {
    const { value, done } = await iterator.next();
    if (done === true) return false;
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    return true;
  }
  async function fill(size: number, within: string): Promise<void> {
    while (held.length < size) {
      if (!(await more()))
        throw new CompressionDamaged(`zstd: the file ends after ${offset + held.length} bytes, inside ${within}`);
    }
  }
  return {
    any: async () => held.length > 0 || (await more()),
    peek: async (size, within) => {
      await fill(size, within);
      return held.subarray(0, size);
    },
    async *take(size) {
      for (let left = size; left > 0; ) {
        await fill(1, 'a block');
        const part = held.subarray(0, left);
        held = held.subarray(part.length);
        offset += part.length;
        left -= part.length;
        yield part;
      }
    },
    offset: () => offset,
    close: async () => void (await iterator.return?.()),
  };
}
