import { createCipheriv } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HistoryDamaged } from '../../core/chain.ts';
import { type Deliverable, type Destination, MemberRefused, type Stored } from '../../core/delivery.ts';
import { sha256 } from '../../io/digest.ts';

export interface DestinationUnderTest {
  readonly destination: Destination;
  /** What lies under a key at the member, as the member itself sees it. */
  held(key: string): Promise<Buffer | undefined>;
  /** The member itself puts something under a key. */
  plant(key: string, bytes: Uint8Array): Promise<void>;
  /** Puts an object into the vault, for destinations that take it from there. */
  provide(key: string, bytes: Uint8Array): Promise<void>;
  /** Removes what `make` made. */
  cleanup(): Promise<void>;
}

/** What kind of destination it is, and what a server cannot show, and so is not asked of it. */
export interface DestinationKind {
  /** It takes bytes from the vault, and asks for no body. */
  readonly copies?: boolean;
  readonly readsBack?: boolean;
  /** No server that can be had knows the condition of a copy. */
  readonly overwritesUnseen?: boolean;
}

const never = AbortSignal.any([]);
const text = (words: string): Buffer => Buffer.from(words);

/** The same bytes every time, no two blocks alike. */
const noise = (size: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(size));

const itemOf = (key: string, bytes: Uint8Array): Deliverable => ({
  ...{ key, size: bytes.length, sha256: sha256(bytes), kind: 'file' },
});

async function* chunks(bytes: Uint8Array, length = 60_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** The contract of `Destination` in `core/delivery.ts`, sentence by sentence. Each test has keys of its own. */
export function behavesLikeADestination(
  name: string,
  make: () => Promise<DestinationUnderTest>,
  { copies = false, readsBack = false, overwritesUnseen = false }: DestinationKind = {},
): void {
  describe(`${name} behaves like a destination`, () => {
    let made: DestinationUnderTest;
    beforeAll(async () => {
      made = await make();
      expect(made.destination.copies).toBe(copies);
      expect((await made.destination.mayRead?.(never)) ?? false).toBe(readsBack);
      expect(await made.destination.check()).toEqual([]);
    }, 60_000);
    afterAll(() => made.cleanup());
    const the = (): DestinationUnderTest => made;

    putsOnce(the);
    if (!overwritesUnseen) neverOverwrites(the);
    hearsItsSignal(the);
    if (!copies) endsWithItsReason(the);
    if (readsBack) isReadBack(the);
    else isNotRead(the);
    test('a check can be made again, and finds nothing', async () => {
      expect(await the().destination.check()).toEqual([]);
      expect(await the().destination.check()).toEqual([]);
    });
  });
}

async function put(the: DestinationUnderTest, key: string, bytes: Uint8Array, signal = never): Promise<Stored> {
  await the.provide(key, bytes);
  return the.destination.put(itemOf(key, bytes), () => chunks(bytes), signal);
}

function putsOnce(the: () => DestinationUnderTest): void {
  test.each([0, 1, 60_000, 60_001, 6_000_001])('an object of %i bytes is put there whole', async (size) => {
    const bytes = noise(size);
    expect((await put(the(), `put/${size}`, bytes)).outcome).toBe('written');
    expect((await the().held(`put/${size}`))?.equals(bytes)).toBe(true);
  });

  test('an object that has its bytes with it is put there, and nobody is asked for them', async () => {
    const bytes = text('a document');
    const item: Deliverable = { ...itemOf('put/document', bytes), kind: 'document', bytes };
    // A folder asks, and is given them by its caller.
    const body = () => chunks(bytes);
    expect((await the().destination.put(item, body, never)).outcome).toBe('written');
    expect(await the().held('put/document')).toEqual(bytes);
  });

  test('objects side by side do not mix', async () => {
    const bodies = Array.from({ length: 12 }, (_, n) => Buffer.concat([text(`${n}`), noise(70_000)]));
    await Promise.all(bodies.map((body, n) => put(the(), `side/${n}`, body)));
    for (const [n, body] of bodies.entries()) expect((await the().held(`side/${n}`))?.equals(body)).toBe(true);
  });
}

function neverOverwrites(the: () => DestinationUnderTest): void {
  test('a second put of an object says that it is there, and changes nothing', async () => {
    await put(the(), 'twice', text('once'));
    expect((await put(the(), 'twice', text('once'))).outcome).not.toBe('written');
    expect(await the().held('twice')).toEqual(text('once'));
  });

  test('what lies there with other bytes stays, and is never called the same or written', async () => {
    await the().plant('planted', text('theirs'));
    const outcome = await put(the(), 'planted', text('ours')).then(
      (stored) => stored.outcome,
      (error: unknown) => (error instanceof MemberRefused ? error.fault.name : error),
    );
    expect(['there', 'TAMPERED']).toContain(outcome);
    expect(await the().held('planted')).toEqual(text('theirs'));
  });

  test('of ten puts of a key at once exactly one has written it', async () => {
    const bytes = noise(200_000);
    await the().provide('race', bytes);
    const ends = await Promise.all(
      Array.from({ length: 10 }, () => the().destination.put(itemOf('race', bytes), () => chunks(bytes), never)),
    );
    expect(ends.filter(({ outcome }) => outcome === 'written')).toHaveLength(1);
    expect((await the().held('race'))?.equals(bytes)).toBe(true);
  });
}

function hearsItsSignal(the: () => DestinationUnderTest): void {
  test('a signal that has aborted before is heard first: no body is asked for', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    const bytes = text('x');
    await the().provide('aborted/before', bytes);
    let asked = false;
    const body = () => {
      asked = true;
      return chunks(bytes);
    };
    await expect(the().destination.put(itemOf('aborted/before', bytes), body, signal)).rejects.toBe(signal.reason);
    expect(asked).toBe(false);
    expect(await the().held('aborted/before')).toBeUndefined();
  });
}

function endsWithItsReason(the: () => DestinationUnderTest): void {
  test('a body that fails leaves nothing, and its reason; the key is free after', async () => {
    for (const size of [0, 100, 3_000_000]) {
      const reason = Object.assign(new Error('the vault is away'), { code: 'ECONNRESET' });
      const bytes = noise(3_000_001);
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield* chunks(bytes.subarray(0, size));
        throw reason;
      }
      const key = `failed/${size}`;
      await expect(the().destination.put(itemOf(key, bytes), failing, never)).rejects.toBe(reason);
      expect(await the().held(key)).toBeUndefined();
      expect((await put(the(), key, bytes)).outcome).toBe('written');
    }
  });

  test('a body that finds itself damaged at its very end leaves nothing', async () => {
    const bytes = noise(300_000);
    const damaged = new HistoryDamaged('not what was sealed', 'Verify.');
    async function* lying(): AsyncGenerator<Uint8Array> {
      yield* chunks(bytes);
      throw damaged;
    }
    await expect(the().destination.put(itemOf('damaged', bytes), lying, never)).rejects.toBe(damaged);
    expect(await the().held('damaged')).toBeUndefined();
  });

  test('a signal that aborts while the body is silent ends it with its reason, and leaves nothing', async () => {
    for (const size of [0, 100, 3_000_000]) {
      const controller = new AbortController();
      const reason = Object.assign(new Error('interrupted'), { code: 'ECONNRESET' });
      const bytes = noise(3_000_001);
      async function* stalling(): AsyncGenerator<Uint8Array> {
        yield* chunks(bytes.subarray(0, size));
        setTimeout(() => controller.abort(reason), 10);
        await new Promise(() => {});
      }
      const key = `aborted/${size}`;
      await expect(the().destination.put(itemOf(key, bytes), stalling, controller.signal)).rejects.toBe(reason);
      expect(await the().held(key)).toBeUndefined();
    }
  });
}

function isReadBack(the: () => DestinationUnderTest): void {
  test('what can be read back is what was put there; what is absent is undefined', async () => {
    const { destination } = the();
    await put(the(), 'read/back', text('read me'));
    const read = await destination.read?.('read/back', never);
    expect(Buffer.concat(await Array.fromAsync(read ?? []))).toEqual(text('read me'));
    expect(await destination.read?.('read/absent', never)).toBeUndefined();
  });
}

function isNotRead(the: () => DestinationUnderTest): void {
  test('what may not be read is undefined, like what is absent, and no fault', async () => {
    await put(the(), 'read/closed', text('closed'));
    expect(await the().destination.read?.('read/closed', never)).toBeUndefined();
    expect(await the().destination.read?.('read/absent', never)).toBeUndefined();
  });
}
