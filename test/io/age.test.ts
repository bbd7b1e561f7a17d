import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AgeDamaged,
  ageDecryption,
  ageEncryption,
  ageIdentity,
  InvalidIdentity,
  InvalidRecipient,
  WrongIdentity,
} from '../../io/age.ts';
import { noEncryption } from '../../io/no-encryption.ts';
import { collect, cut, sample } from '../support/bytes.ts';
import { failureOf, said } from '../support/said.ts';

const KIB64 = 65_536;
const sizes = [0, 1, KIB64 - 1, KIB64, KIB64 + 1, 2 * KIB64, 16 * KIB64, 16 * KIB64 + 1, 3_333_333];

let folder: string;
let key: { identity: string; recipient: string };
let other: { identity: string; recipient: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'age-'));
  key = await ageIdentity();
  other = await ageIdentity();
  writeFileSync(join(folder, 'identity.txt'), `# a test's own\n${key.identity}\n`, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const encrypt = (bytes: Uint8Array, piece = 100_000) =>
  collect(ageEncryption([key.recipient]).filter({})(cut(bytes, piece)));
const decrypt = (bytes: Uint8Array, piece = 100_000) => collect(ageDecryption(key.identity)(cut(bytes, piece)));

describe('age encryption', () => {
  test.each(sizes)('gives back %i bytes, whatever pieces they come in', async (size) => {
    const plain = sample(size);
    for (const piece of [7919, KIB64, 5 * KIB64 + 3]) {
      expect((await decrypt(await encrypt(plain, piece), piece + 1)).equals(plain)).toBe(true);
    }
  });

  test('any one identity of several recipients opens the file', async () => {
    const sealed = await collect(ageEncryption([other.recipient, key.recipient]).filter({})(cut(sample(99), 10)));
    for (const { identity } of [key, other]) {
      expect(await collect(ageDecryption(identity)(cut(sealed, 50)))).toEqual(sample(99));
    }
  });

  test('an identity file may hold comments, blank lines, carriage returns and several identities', async () => {
    const file = `# created: today\r\n\r\n${other.identity}\r\n${key.identity}\r\n`;
    expect(await collect(ageDecryption(file)(cut(await encrypt(sample(5)), 9)))).toEqual(sample(5));
  });

  test('two files of the same bytes share no key and no nonce', async () => {
    const [one, two] = await Promise.all([encrypt(sample(1000)), encrypt(sample(1000))]);
    expect(one.subarray(-1016).equals(two.subarray(-1016))).toBe(false);
  });

  test('an identity that is not of a recipient is told from damage', async () => {
    const opened = collect(ageDecryption(other.identity)(cut(await encrypt(sample(5)), 9)));
    await expect(opened).rejects.toThrow(WrongIdentity);
  });

  test.each(['', 'age1', 'age1qqqq', 'ssh-ed25519 AAAA', 'age1tag1xx'])('refuses the recipient %j at once', (text) => {
    expect(() => ageEncryption([text])).toThrow(InvalidRecipient);
  });

  test('refuses to encrypt to nobody', () => {
    expect(() => ageEncryption([])).toThrow(InvalidRecipient);
  });

  test.each([
    ['a secret given as recipient', () => ageEncryption([key.identity])],
    ['a misspelt identity', () => ageDecryption(`${key.identity.slice(0, -1)}!`)],
  ])('%s appears in no part of the error', (_, call) => {
    const error = catchError(call);
    expect(error).toBeInstanceOf(Error);
    expect(said(error)).not.toContain(key.identity.slice(20, 40));
  });

  test.each(['', '# only a comment', 'AGE-SECRET-KEY-1XX'])('refuses the identity file %j', (text) => {
    expect(() => ageDecryption(text)).toThrow(InvalidIdentity);
  });

  test('what is not encrypted passes as it is', async () => {
    expect(noEncryption.encoding).toBeUndefined();
    expect(await collect(noEncryption.filter({})(cut(sample(100), 7)))).toEqual(sample(100));
  });
});

function catchError(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

describe('a damaged age file', () => {
  test('a flipped bit in any byte is found', async () => {
    const sealed = await encrypt(sample(40));
    for (let at = 0; at < sealed.length; at++) {
      const flipped = Buffer.from(sealed);
      flipped[at]! ^= 1 << (at % 8);
      const error = await failureOf(decrypt(flipped));
      expect(error instanceof AgeDamaged || error instanceof WrongIdentity).toBe(true);
    }
  });

  test('each truncation is found, and yields no byte that was not authenticated', async () => {
    const plain = sample(3 * KIB64);
    const sealed = await encrypt(plain);
    const lengths = [0, 1, 50, 100, 166, 184, 200, 216, 217, 3000];
    for (let chunk = 1; chunk <= 3; chunk++) lengths.push(sealed.length - chunk * (KIB64 + 16), sealed.length - chunk);
    for (const length of lengths) {
      const seen: Uint8Array[] = [];
      const read = async () => {
        for await (const bytes of ageDecryption(key.identity)(cut(sealed.subarray(0, length), 10_000)))
          seen.push(bytes);
      };
      await expect(read()).rejects.toThrow(AgeDamaged);
      const got = Buffer.concat(seen);
      expect(got.equals(plain.subarray(0, got.length))).toBe(true);
    }
  });

  test.each<[string, (header: Buffer, chunks: Buffer[]) => Buffer[]]>([
    ['swapped', (header, [a, b, c]) => [header, b!, a!, c!]],
    ['repeated', (header, [a, b, c]) => [header, a!, a!, b!, c!]],
    ['missing in the middle', (header, [a, , c]) => [header, a!, c!]],
    ['added behind the last', (header, [a, b, c]) => [header, a!, b!, c!, c!]],
  ])('a chunk that is %s is found', async (_, shuffle) => {
    const sealed = await encrypt(sample(2 * KIB64 + 50));
    const payload = sealed.length - 2 * (KIB64 + 16) - 66;
    const ends = [payload, payload + KIB64 + 16, payload + 2 * (KIB64 + 16), sealed.length];
    const chunks = [0, 1, 2].map((at) => sealed.subarray(ends[at]!, ends[at + 1]!));
    const shuffled = Buffer.concat(shuffle(sealed.subarray(0, payload), chunks));
    await expect(decrypt(shuffled)).rejects.toThrow(AgeDamaged);
  });

  test('a header without an end is refused without reading everything', async () => {
    let pieces = 0;
    async function* endless() {
      for (;;) {
        pieces += 1;
        yield Buffer.alloc(10_000, 'a');
      }
    }
    await expect(collect(ageDecryption(key.identity)(endless()))).rejects.toThrow(AgeDamaged);
    expect(pieces).toBeLessThan(10);
  });
});

describe('the source', () => {
  test.each<[string, (source: AsyncIterable<Uint8Array>) => Promise<unknown>]>([
    ['when the header is refused', (source) => collect(ageDecryption(other.identity)(source))],
    ['when the reader stops early', (source) => firstOf(ageDecryption(key.identity)(source))],
  ])('is closed %s', async (_, read) => {
    let closed = false;
    const sealed = await encrypt(sample(3 * KIB64));
    async function* source() {
      try {
        yield* cut(sealed, 1000);
      } finally {
        closed = true;
      }
    }
    await read(source()).catch(() => undefined);
    expect(closed).toBe(true);
  });

  test('that fails makes the filter fail with that very error', async () => {
    const failure = new Error('the pipe broke');
    async function* source() {
      yield sample(100);
      throw failure;
    }
    await expect(collect(ageEncryption([key.recipient]).filter({})(source()))).rejects.toBe(failure);
  });
});

async function firstOf(source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of source) return;
}

const hasAge = spawnSync('age', ['--version']).status === 0;
const withAge = hasAge ? describe : describe.skip;

withAge(`the standard age tool${hasAge ? '' : ' (skipped: no age on the PATH)'}`, () => {
  const age = (args: string[], input: Uint8Array): Buffer => {
    const { status, stdout, stderr } = spawnSync('age', args, { input, maxBuffer: 64 << 20, timeout: 20_000 });
    expect([status, stderr.toString()]).toEqual([0, '']);
    return stdout;
  };

  test.each(sizes)('opens what we wrote of %i bytes', async (size) => {
    const opened = age(['-d', '-i', join(folder, 'identity.txt')], await encrypt(sample(size)));
    expect(opened.equals(sample(size))).toBe(true);
  });

  test.each(sizes)('writes what we open, of %i bytes', async (size) => {
    const written = join(folder, 'written.age');
    age(['-r', other.recipient, '-r', key.recipient, '-o', written], sample(size));
    expect((await decrypt(readFileSync(written))).equals(sample(size))).toBe(true);
    rmSync(written);
  });
});
