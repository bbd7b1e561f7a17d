import { createHash } from 'node:crypto';
import { type Deliverable, notAsSealed } from '../core/delivery.ts';
import { abreast, type Outset, type Walker } from './abreast.ts';

/** So many bytes may one branch be behind the one that is furthest: they are held once for all of them. */
const ROOM = 16 * 1024 * 1024;

/** One writer's share in a read that several have in common. */
interface Branch {
  body(): AsyncGenerator<Uint8Array>;
  push(chunk: Uint8Array): void;
  /** Undefined: there is room for more. */
  room(): Promise<void> | undefined;
  end(error?: unknown): void;
}

function branch(): Branch {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let ended: { readonly error: unknown } | undefined;
  let wake = Promise.withResolvers<void>();
  let room: PromiseWithResolvers<void> | undefined;
  const change = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  return {
    push: (chunk) => {
      if (ended !== undefined) return;
      chunks.push(chunk);
      size += chunk.length;
      change();
    },
    room: () => {
      if (size < ROOM || ended !== undefined) return undefined;
      room ??= Promise.withResolvers();
      return room.promise;
    },
    end: (error) => {
      ended ??= { error };
      room?.resolve();
      room = undefined;
      change();
    },
    body: async function* () {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk !== undefined) {
          yield chunk;
          size -= chunk.length;
          if (size >= ROOM) continue;
          room?.resolve();
          room = undefined;
        } else if (ended === undefined) await wake.promise;
        else if (ended.error === undefined) return;
        else throw ended.error as Error;
      }
    },
  };
}

/**
 * Reads an object once and hashes it once, for all that write it. Bytes that are not what was sealed end every body
 * with `HistoryDamaged`, before any of them can take its object for whole. Resolves when every writer has ended, or has
 * fallen behind; then rejects with what was wrong with the read, if anything was. `all` are those that wait for them.
 */
export async function fanOut<W extends Walker>(
  item: Deliverable,
  read: () => AsyncIterable<Uint8Array>,
  writers: readonly { readonly walker: W; readonly write: (body: () => AsyncIterable<Uint8Array>) => Promise<void> }[],
  all: readonly W[],
  outset: Outset,
): Promise<void> {
  const branches = new Map(writers.map(({ walker }) => [walker, branch()]));
  const open = new Set(branches.keys());
  let wrong: { readonly error: unknown } | undefined;
  const fail = (error: unknown): never => {
    wrong ??= { error };
    throw error;
  };
  const start = async ({ walker, write }: (typeof writers)[number]) => {
    const own = branches.get(walker);
    // The first iteration is the only one: a writer that begins again reads, and hashes, for itself.
    let taken = false;
    const body = () => {
      if (taken || own === undefined) return proved(item, read(), fail);
      taken = true;
      return own.body();
    };
    await write(body).finally(() => {
      open.delete(walker);
      own?.end();
    });
  };
  const writing = new Map(writers.map((each) => [each.walker, start(each)]));
  const endAll = (error?: unknown) => [...branches.values()].map((each) => each.end(error));
  try {
    for await (const chunk of proved(item, read(), fail)) {
      if (open.size === 0) break;
      for (const walker of open) branches.get(walker)?.push(chunk);
      await abreast(all, (walker) => (open.has(walker) ? branches.get(walker)?.room() : undefined), outset);
    }
    endAll();
  } catch (error) {
    endAll(error);
  }
  await abreast(all, (walker) => writing.get(walker), outset);
  if (wrong !== undefined) throw wrong.error;
}

/** The bytes of an object, and at their end `HistoryDamaged` unless they are those that were sealed. */
async function* proved(
  item: Deliverable,
  bytes: AsyncIterable<Uint8Array>,
  fail: (error: unknown) => never,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  } catch (error) {
    fail(error);
  }
  if (size !== item.size || hash.digest('hex') !== item.sha256) fail(notAsSealed(item));
}
