import { createCipheriv, createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  KeyTaken,
  NoSuchKey,
  ObjectTooLarge,
  type StoredObject,
  type Vault,
  type VaultJanitor,
} from '../../core/vault.ts';
import { InvalidKey } from '../../vault/keys.ts';

export interface VaultUnderTest {
  readonly vault: Vault;
  readonly janitor: VaultJanitor;
  /** Removes what `make` made. */
  cleanup(): Promise<void>;
}

const MEGABYTE = 1024 * 1024;
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The same bytes every time, no two blocks alike. */
const noise = (size: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(size));

async function* chunks(bytes: Uint8Array, length = 60_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function gathered<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const all = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> => Buffer.concat(await gathered(source));

const keysOf = async (objects: AsyncIterable<StoredObject>): Promise<string[]> =>
  (await gathered(objects)).map(({ key }) => key);

/** The contract of `core/vault.ts`, sentence by sentence. Each test has keys of its own; all share one vault. */
export function behavesLikeAVault(name: string, make: () => Promise<VaultUnderTest>): void {
  describe(`${name} behaves like a vault`, () => {
    let made: VaultUnderTest;
    beforeAll(async () => {
      made = await make();
    }, 60_000);
    afterAll(() => made.cleanup());
    const the = (): Vault => made.vault;
    const janitor = (): VaultJanitor => made.janitor;

    writesOnce(the);
    leavesNothingBehind(the, janitor);
    reads(the);
    lists(the);
    guardsItsKeys(the);
    removes(the, janitor);
  });
}

function writesOnce(the: () => Vault): void {
  test('a small body put under a free key is there, whole', async () => {
    expect(await the().putOnce('put/free', text('one'))).toBe(true);
    expect(await the().get('put/free')).toEqual(Buffer.from('one'));
  });

  test('a second put of a key resolves to false and changes nothing, even with the same bytes', async () => {
    expect(await the().putOnce('put/twice', text('one'))).toBe(true);
    expect(await the().putOnce('put/twice', text('two'))).toBe(false);
    expect(await the().putOnce('put/twice', text('one'))).toBe(false);
    expect(await all(the().read('put/twice'))).toEqual(Buffer.from('one'));
  });

  test('of 20 concurrent puts of a key exactly one wins, and its body stands', async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => text(`writer ${index}`));
    const won = await Promise.all(bodies.map((body) => the().putOnce('put/race', body)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await the().get('put/race')).toEqual(Buffer.from(bodies[won.indexOf(true)] ?? []));
  });

  test.each([0, 1, MEGABYTE, MEGABYTE + 1, 12_000_001])(
    'a stream of %i bytes is stored whole',
    async (size) => {
      const bytes = noise(size);
      const key = `stream/${size}`;
      expect(await the().writeOnce(key, chunks(bytes))).toEqual({ key, size, sha256: sha256(bytes) });
      expect((await all(the().read(key))).equals(bytes)).toBe(true);
      expect(await the().stat(key)).toMatchObject({ key, size });
    },
    30_000,
  );

  test('an empty body and empty chunks are bytes like any', async () => {
    expect(await the().putOnce('put/empty', new Uint8Array())).toBe(true);
    expect(await the().get('put/empty')).toHaveLength(0);
    await the().writeOnce('stream/gaps', chunksOf([text(''), text('a'), text(''), text('b'), text('')]));
    expect(await the().get('stream/gaps')).toEqual(Buffer.from('ab'));
  });

  test('a source may use its buffer again for the next chunk', async () => {
    const buffer = Buffer.alloc(5);
    async function* frugal(): AsyncGenerator<Uint8Array> {
      for (const word of ['first', 'after']) yield buffer.fill(word);
    }
    await the().writeOnce('stream/frugal', frugal());
    expect(await the().get('stream/frugal')).toEqual(Buffer.from('firstafter'));
  });

  test.each([10, 12_000_000])('a stream of %i bytes to a taken key is KeyTaken and changes nothing', async (size) => {
    const key = `stream/taken-${size}`;
    await the().putOnce(key, text('first'));
    await expect(the().writeOnce(key, chunks(noise(size)))).rejects.toBeInstanceOf(KeyTaken);
    expect(await the().get(key)).toEqual(Buffer.from('first'));
  });

  test('of concurrent streams to a key exactly one wins, and its bytes stand', async () => {
    const bodies = Array.from({ length: 4 }, (_, index) => Buffer.concat([text(`${index}`), noise(6_000_000)]));
    const ends = await Promise.allSettled(bodies.map((body) => the().writeOnce('stream/race', chunks(body))));
    const winner = ends.findIndex((end) => end.status === 'fulfilled');
    const losers = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(losers).toEqual([expect.any(KeyTaken), expect.any(KeyTaken), expect.any(KeyTaken)]);
    expect((await all(the().read('stream/race'))).equals(bodies[winner] ?? Buffer.alloc(0))).toBe(true);
  }, 30_000);
}

async function* chunksOf(list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list;
}

function leavesNothingBehind(the: () => Vault, janitor: () => VaultJanitor): void {
  test.each([0, 100, 12_000_000])(
    'a source that throws after %i bytes leaves nothing, and its reason',
    async (size) => {
      const reason = new Error('the dump was cut');
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield* chunks(noise(size));
        throw reason;
      }
      const key = `failed/${size}`;
      await expect(the().writeOnce(key, failing())).rejects.toBe(reason);
      expect(await the().stat(key)).toBeUndefined();
      expect(await the().putOnce(key, text('later'))).toBe(true);
    },
  );

  test.each([0, 100, 12_000_000])('an abort after %i bytes ends a write whose source is silent', async (size) => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    async function* stalling(): AsyncGenerator<Uint8Array> {
      yield* chunks(noise(size));
      setTimeout(() => controller.abort(reason), 10);
      await new Promise(() => {});
    }
    const key = `aborted/${size}`;
    await expect(the().writeOnce(key, stalling(), controller.signal)).rejects.toBe(reason);
    expect(await the().stat(key)).toBeUndefined();
    expect(await keysOf(the().list(key))).toEqual([]);
  });

  test('a write whose signal has aborted before it begins takes nothing from its source', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    let asked = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      asked = true;
      yield text('x');
    }
    await expect(the().writeOnce('aborted/before', source(), signal)).rejects.toBe(signal.reason);
    expect(asked).toBe(false);
  });

  test('an unfinished write is seen by no reader, and a sweep from before it began leaves it alone', async () => {
    const before = new Date(Date.now() - 3_600_000);
    async function* watched(): AsyncGenerator<Uint8Array> {
      yield noise(12_000_000);
      expect(await the().stat('unfinished/x')).toBeUndefined();
      expect(await the().get('unfinished/x')).toBeUndefined();
      expect(await keysOf(the().list('unfinished/'))).toEqual([]);
      expect((await keysOf(the().list(''))).filter((key) => key.startsWith('.'))).toEqual([]);
      expect(await janitor().sweepUnfinished(before)).toBe(0);
      yield text('end');
    }
    await the().writeOnce('unfinished/x', watched());
    expect(await the().stat('unfinished/x')).toMatchObject({ size: 12_000_003 });
  });
}

function reads(the: () => Vault): void {
  test('what is not there is undefined to get and stat, and NoSuchKey to read', async () => {
    await the().putOnce('absent/folder/x', text('x'));
    for (const key of ['absent/nothing', 'absent/folder', 'absent/folder/x/y', 'absent/folde', 'absent/nowhere/x']) {
      expect(await the().get(key)).toBeUndefined();
      expect(await the().stat(key)).toBeUndefined();
      await expect(all(the().read(key))).rejects.toBeInstanceOf(NoSuchKey);
    }
  });

  test('reading rejects when it begins, not when it is asked for', async () => {
    const iterator = the().read('absent/later')[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toBeInstanceOf(NoSuchKey);
  });

  test.each([
    [0, 0],
    [0, 9],
    [9, 9],
    [3, 5],
    [5, 100],
    [10, 10],
    [100, 200],
  ])('bytes %i to %i of ten are those that exist, both ends included', async (start, end) => {
    await the().putOnce('range/ten', text('0123456789'));
    expect((await all(the().read('range/ten', { start, end }))).toString()).toBe('0123456789'.slice(start, end + 1));
  });

  test.each([
    [5, 3],
    [-1, 3],
    [0.5, 3],
    [0, Number.NaN],
  ])('bytes %f to %f are no range', async (start, end) => {
    await the().putOnce('range/none', text('0123456789'));
    await expect(all(the().read('range/none', { start, end }))).rejects.toBeInstanceOf(RangeError);
  });

  test('a range of an absent object is NoSuchKey, of an empty one nothing', async () => {
    await the().putOnce('range/empty', new Uint8Array());
    expect(await all(the().read('range/empty', { start: 0, end: 5 }))).toHaveLength(0);
    await expect(all(the().read('range/absent', { start: 0, end: 5 }))).rejects.toBeInstanceOf(NoSuchKey);
  });

  test('a range across the parts of a large object is exact', async () => {
    const bytes = noise(12_000_000);
    await the().writeOnce('range/large', chunks(bytes));
    const middle = await all(the().read('range/large', { start: 4_999_999, end: 11_000_000 }));
    expect(middle.equals(bytes.subarray(4_999_999, 11_000_001))).toBe(true);
  });

  test('a reader may stop early', async () => {
    await the().writeOnce('read/early', chunks(noise(6_000_000)));
    for await (const chunk of the().read('read/early')) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  test('get gives at most its limit, and 4 MiB without one', async () => {
    await the().writeOnce('limit/4', chunks(noise(4 * MEGABYTE)));
    await the().writeOnce('limit/more', chunks(noise(4 * MEGABYTE + 1)));
    expect(await the().get('limit/4')).toHaveLength(4 * MEGABYTE);
    await expect(the().get('limit/more')).rejects.toBeInstanceOf(ObjectTooLarge);
    expect(await the().get('limit/more', 5 * MEGABYTE)).toHaveLength(4 * MEGABYTE + 1);
    await expect(the().get('limit/4', 10)).rejects.toBeInstanceOf(ObjectTooLarge);
  });

  test('stat gives key, size in bytes, and when it was written', async () => {
    await the().putOnce('stat/x', text('12345'));
    const found = await the().stat('stat/x');
    expect(found).toMatchObject({ key: 'stat/x', size: 5 });
    expect(Math.abs((found?.modifiedAt.getTime() ?? 0) - Date.now())).toBeLessThan(600_000);
  });
}

function lists(the: () => Vault): void {
  // In byte order: `-` before `.` before `/` before digits before capitals before small letters.
  const ordered = ['a-b', 'a-b.c/x', 'a.b', 'a/-', 'a/b', 'a/b-', 'a/b.c/d', 'a/c/d', 'a0', 'aB', 'a~', 'b c', 'z'];

  test('keys are listed in byte order, whatever the order of writing', async () => {
    for (const name of ordered.toReversed()) await the().putOnce(`list/${name}`, text(name));
    expect(await keysOf(the().list('list/'))).toEqual(ordered.map((name) => `list/${name}`));
    const everything = await keysOf(the().list(''));
    expect(everything).toEqual(everything.toSorted());
    expect(everything).toEqual(expect.arrayContaining(['list/a-b', 'list/z']));
  });

  test('a listing goes on strictly after any key, stored or not', async () => {
    for (const name of ordered) await the().putOnce(`after/${name}`, text(name));
    for (const after of [...ordered, 'a', 'a/', 'a/b/c', 'a/b.c/', 'b', 'zz']) {
      const rest = ordered.filter((name) => name > after).map((name) => `after/${name}`);
      expect(await keysOf(the().list('after/', `after/${after}`))).toEqual(rest);
    }
    expect(await keysOf(the().list('after/', 'aaa'))).toHaveLength(ordered.length);
    expect(await keysOf(the().list('after/', ''))).toHaveLength(ordered.length);
  });

  test('a prefix is the beginning of keys, not a folder', async () => {
    for (const name of ['no/1', 'node/1', 'node/2', 'node-1', 'nod']) await the().putOnce(`prefix/${name}`, text(name));
    expect(await keysOf(the().list('prefix/node'))).toEqual(['prefix/node-1', 'prefix/node/1', 'prefix/node/2']);
    expect(await keysOf(the().list('prefix/node/2'))).toEqual(['prefix/node/2']);
    expect(await keysOf(the().list('prefix/node/2/'))).toEqual([]);
    expect(await keysOf(the().list('prefix/nothing/here/'))).toEqual([]);
  });

  test('each listed object has its size, and stat says the same', async () => {
    await the().putOnce('sizes/x', text('123'));
    const [listed] = await gathered(the().list('sizes/'));
    expect(listed).toEqual(await the().stat('sizes/x'));
    expect(listed?.size).toBe(3);
  });

  test('a listing beside writers has every object from before it, once, in order', async () => {
    const old = Array.from({ length: 30 }, (_, index) => `busy/${index + 10}/x`);
    for (const key of old) await the().putOnce(key, text(key));
    const writing = old.map((key) => the().putOnce(`${key}y`, text(key)));
    const seen = await keysOf(the().list('busy/'));
    await Promise.all(writing);
    expect(seen.filter((key) => old.includes(key))).toEqual(old);
    expect(seen).toEqual([...new Set(seen)].toSorted());
  });
}

function guardsItsKeys(the: () => Vault): void {
  const long = 'x'.repeat(256);
  const bad = ['', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a\\b', 'a\nb', 'a\0b', 'é', 'a\x7fb'];

  test.each([...bad, `a/${long}`, 'a/b'.repeat(400), '.ledgerhold-tmp/x'])('%j is an InvalidKey', async (key) => {
    await expect(the().putOnce(key, text('x'))).rejects.toBeInstanceOf(InvalidKey);
    await expect(the().writeOnce(key, chunks(text('x')))).rejects.toBeInstanceOf(InvalidKey);
    await expect(the().get(key)).rejects.toBeInstanceOf(InvalidKey);
    await expect(the().stat(key)).rejects.toBeInstanceOf(InvalidKey);
    await expect(all(the().read(key))).rejects.toBeInstanceOf(InvalidKey);
  });

  test.each(['/', '../', 'a//', 'a\\', 'a/../'])('no key starts with %j: an InvalidKey', async (prefix) => {
    await expect(keysOf(the().list(prefix))).rejects.toBeInstanceOf(InvalidKey);
  });

  test('times, plus signs, spaces, percent signs and dots are letters like any', async () => {
    const keys = ['2026-11-21T08:00:00Z', 'a+b', 'a b', '100%25', '...', '.hidden', 'q?a=b&c#d\'"<>'];
    for (const name of keys) {
      await the().putOnce(`names/${name}`, text(name));
      expect(await the().get(`names/${name}`)).toEqual(Buffer.from(name));
      expect(await the().stat(`names/${name}`)).toMatchObject({ key: `names/${name}` });
    }
    expect(await keysOf(the().list('names/'))).toEqual(keys.map((name) => `names/${name}`).toSorted());
  });
}

function removes(the: () => Vault, janitor: () => VaultJanitor): void {
  test('the janitor removes an object, and says so once', async () => {
    await the().putOnce('remove/x', text('x'));
    await the().putOnce('remove/xy', text('y'));
    expect(await janitor().remove('remove/x')).toBe(true);
    expect(await janitor().remove('remove/x')).toBe(false);
    expect(await janitor().remove('remove')).toBe(false);
    expect(await the().get('remove/x')).toBeUndefined();
    expect(await keysOf(the().list('remove/'))).toEqual(['remove/xy']);
  });

  test('the janitor keeps to the same keys', async () => {
    await expect(janitor().remove('../x')).rejects.toBeInstanceOf(InvalidKey);
  });
}
