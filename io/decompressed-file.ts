import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable, type Transform } from 'node:stream';
import { types } from 'node:util';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CompressionDamaged, FileReadFailed, FileUnreadable } from './file-errors.ts';
import { zstdFrames } from './zstd-frames.ts';

/** A file's bytes, decompressed if it is compressed, in constant memory however much comes out. */
export interface DecompressedFile {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** As it lies. */
  readonly size: number;
  /** Each piece is valid only until the next is asked for. `onRead` is told how many bytes of the file were read. */
  bytes(onRead: (count: number) => void): AsyncGenerator<Uint8Array>;
}

/** Large enough that a piece costs nothing beside what is done with it. */
const PIECE_BYTES = 1024 * 1024;
/** Each of a decompressor's is another, and lies there until it is collected. */
const DECOMPRESSED_PIECE_BYTES = 256 * 1024;
/** Read ahead of a decompressor, which keeps what it was given until it is done with it. */
const COMPRESSED_PIECE_BYTES = 128 * 1024;

/** Looks at a file's first bytes: they, not its name, say how it is compressed. */
export async function openDecompressed(file: string): Promise<DecompressedFile> {
  const handle = await opened(file);
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(4);
    const { bytesRead } = await handle.read(head, 0, 4, 0);
    const compression = compressionOf(head.subarray(0, bytesRead));
    const bytes = { none: plain, gzip: gunzipped, zstd: unzstd }[compression];
    return { compression, size, bytes: (onRead) => bytes(file, onRead) };
  } catch (error) {
    throw new FileUnreadable(file, { cause: error });
  } finally {
    await handle.close();
  }
}

function compressionOf(head: Buffer): DecompressedFile['compression'] {
  if (head.length >= 2 && head.readUInt16BE() === 0x1f8b) return 'gzip';
  if (head.length < 4) return 'none';
  const magic = head.readUInt32LE();
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5 ? 'zstd' : 'none';
}

async function opened(file: string): Promise<FileHandle> {
  try {
    return await open(file);
  } catch (error) {
    throw new FileUnreadable(file, { cause: error });
  }
}

/** Into one buffer again and again. */
async function* plain(file: string, onRead: (count: number) => void): AsyncGenerator<Uint8Array> {
  const handle = await opened(file);
  try {
    const buffer = Buffer.alloc(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await readInto(handle, buffer, file);
      if (bytesRead === 0) return;
      onRead(bytesRead);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function readInto(handle: FileHandle, buffer: Buffer, file: string): Promise<{ bytesRead: number }> {
  try {
    return await handle.read(buffer, 0, buffer.length, null);
  } catch (error) {
    throw new FileReadFailed(file, { cause: error });
  }
}

async function* compressed(file: string, onRead: (count: number) => void): AsyncGenerator<Buffer> {
  try {
    for await (const piece of createReadStream(file, { highWaterMark: COMPRESSED_PIECE_BYTES })) {
      onRead((piece as Buffer).length);
      yield piece as Buffer;
    }
  } catch (error) {
    throw new FileReadFailed(file, { cause: error });
  }
}

async function* gunzipped(file: string, onRead: (count: number) => void): AsyncGenerator<Uint8Array> {
  let read = 0;
  const gunzip = createGunzip({ chunkSize: DECOMPRESSED_PIECE_BYTES });
  yield* through(
    compressed(file, (count) => {
      read += count;
      onRead(count);
    }),
    gunzip,
  );
  // Several members are one file, as for gzip itself; Node passes over whatever else follows.
  if (gunzip.bytesWritten < read) {
    throw new CompressionDamaged(`${read - gunzip.bytesWritten} bytes follow the end of what gzip compressed`);
  }
}

async function* unzstd(file: string, onRead: (count: number) => void): AsyncGenerator<Uint8Array> {
  const frames = zstdFrames(compressed(file, onRead));
  try {
    while (await frames.next())
      yield* through(frames.frame(), createZstdDecompress({ chunkSize: DECOMPRESSED_PIECE_BYTES }));
  } finally {
    await frames.close();
  }
}

/** What comes out of a decompressor. Its own failures say that the file is damaged; those of the source stay. */
async function* through(source: AsyncIterable<Uint8Array>, decompress: Transform): AsyncGenerator<Uint8Array> {
  pipeline(Readable.from(source, { objectMode: false }), decompress, () => {});
  try {
    for await (const piece of decompress) yield piece as Buffer;
  } catch (error) {
    throw isCodec(error)
      ? new CompressionDamaged(`it cannot be decompressed: ${error.message}`, { cause: error })
      : error;
  }
}

const isCodec = (error: unknown): error is Error =>
  types.isNativeError(error) && 'code' in error && /^(?:Z_|ZSTD_)/.test(String(error.code));
