import { execFile } from 'node:child_process';
import { close, constants, open } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * A pipe for a child that writes gigabytes in strokes of a few KiB. They gather here in large pieces, so that a stroke
 * costs neither a buffer of its own nor a turn of every filter behind: a third of the work of a stream of Node's.
 */
export interface LargePipe {
  /** For the child's `stdio`. Must be closed here once the child has it, or the pipe never ends. */
  readonly writeEnd: number;
  closeWriteEnd(): Promise<void>;
  /** What is written; to be read by one reader, once. A piece is valid until the next is asked for. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Takes no more; a child that goes on writing is told so by the system. May be called again. */
  close(): void;
}

const PIECE = 256 * 1024;
/** A pipe's own capacity on Linux: no read brings more. */
const STROKE = 64 * 1024;
/** The child goes on while its reader is busy; 1 MiB in all. */
const PIECES = 4;

const openFile = promisify(open);

export async function openLargePipe(): Promise<LargePipe> {
  const folder = await mkdtemp(join(tmpdir(), 'ledgerhold-'));
  try {
    const path = join(folder, 'pipe');
    await promisify(execFile)('mkfifo', ['-m', '600', path]);
    // In this order neither waits for the other.
    const readEnd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeEnd = await openFile(path, 'w');
    return { writeEnd, closeWriteEnd: () => promisify(close)(writeEnd), ...gather(readEnd) };
  } finally {
    // Open at both ends, it needs no name any more.
    await rm(folder, { recursive: true, force: true });
  }
}

/** Buffers go round: of fresh ones a gigabyte would be thrown away, and the collector would take as long as the rest. */
function gather(readEnd: number): Pick<LargePipe, 'pieces' | 'close'> {
  const free = Array.from({ length: PIECES }, () => Buffer.allocUnsafeSlow(PIECE));
  const ready: Buffer<ArrayBuffer>[] = [];
  let filling: Buffer<ArrayBuffer> | undefined = free.pop();
  let used = 0;
  let news = Promise.withResolvers<void>();
  const handOver = () => {
    if (filling !== undefined && used > 0) ready.push(filling.subarray(0, used));
    filling = free.pop();
    used = 0;
    news.resolve();
  };
  const callback = (size: number, stroke: Uint8Array) => {
    filling?.set(size === stroke.length ? stroke : stroke.subarray(0, size), used);
    used += size;
    if (used > PIECE - STROKE) handOver();
    return filling !== undefined;
  };
  const onread = { buffer: Buffer.allocUnsafeSlow(STROKE), callback };
  const socket = new Socket({ fd: readEnd, readable: true, writable: false, onread });
  let failure: Error | undefined;
  socket.once('error', (error) => {
    failure = error;
  });
  // `socket.closed` turns true a tick before this: what was gathered last would be lost.
  let ended = false;
  socket.once('close', () => {
    ended = true;
    handOver();
  });
  async function* pieces(): AsyncGenerator<Buffer, void> {
    while (!ended || ready.length > 0) {
      const piece = ready.shift();
      if (piece === undefined) {
        news = Promise.withResolvers();
        await news.promise;
        continue;
      }
      yield piece;
      free.push(Buffer.from(piece.buffer));
      filling ??= free.pop();
      socket.resume();
    }
    if (failure !== undefined) throw failure;
  }
  socket.resume();
  return { pieces: pieces(), close: () => void socket.destroy() };
}
