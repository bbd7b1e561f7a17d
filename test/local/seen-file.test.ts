import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { canonicalBytes } from '../../core/canonical.ts';
import { Instant, NetworkName, Seq, Sha256 } from '../../core/names.ts';
import { furthest, type Seen, seenNow } from '../../core/seen.ts';
import { changeSeen, readSeen, SeenNotKept, SeenUnreadable } from '../../local/seen-file.ts';
import { UnknownFormat } from '../../vault/documents.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledgerhold-seen-'));
  file = join(folder, 'seen.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const seen = (node: string, seq: number): Seen =>
  seenNow(
    NetworkName.parse('acme'),
    [{ kind: 'chain', node, seals: [{ seq: Seq.parse(seq), sha256: Sha256.parse('a'.repeat(64)) }] }],
    Instant.parse('2026-11-01T00:00:00.000Z'),
  );
const good = Buffer.from(canonicalBytes(seen('consortium', 3))).toString();

describe('the memory of a visit', () => {
  test('is canonical JSON of one line, and nothing lies beside it', async () => {
    expect(await readSeen(file)).toBeUndefined();
    await changeSeen(file, () => seen('consortium', 3));
    expect(readFileSync(file, 'utf8')).toBe(good);
    expect(await readSeen(file)).toEqual(seen('consortium', 3));
    expect(readdirSync(folder)).toEqual(['seen.json']);
  });

  test.each([
    ['cut', good.slice(0, -1)],
    ['empty', ''],
    ['of another form', good.replace('{', '{ ')],
    ['with a digest that is none', good.replace('aaaa', 'zzzz')],
    ['about something else', '{"format":"ledgerhold/vault/1","network":"acme"}'],
    ['huge', good.padEnd(2 ** 20 + 1)],
  ])('that is %s is refused by name, and stays as it is', async (_, text) => {
    writeFileSync(file, text);
    await expect(readSeen(file)).rejects.toThrow(SeenUnreadable);
    await expect(changeSeen(file, () => seen('consortium', 9))).rejects.toMatchObject({
      ...{ name: 'SeenUnreadable', kind: 'usage', message: expect.stringContaining(file) },
      remedy: expect.stringContaining('Put back a copy'),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(folder)).toEqual(['seen.json']);
  });

  test('of a newer version is unknown, and a folder is none', async () => {
    writeFileSync(file, good.replace('seen/1', 'seen/2'));
    await expect(readSeen(file)).rejects.toThrow(UnknownFormat);
    await expect(readSeen(folder)).rejects.toThrow(SeenUnreadable);
  });

  test('is lost by none of twenty who write it at once', async () => {
    const writers = Array.from({ length: 20 }, (_, n) => {
      const mine = seen(`node-${n % 10}`, n + 1);
      return changeSeen(file, (current) => furthest(current, mine));
    });
    await Promise.all(writers);
    const heads = (await readSeen(file))?.chains.map(({ node, seals }) => `${node} ${seals[0]?.seq}`);
    expect(heads).toEqual(Array.from({ length: 10 }, (_, n) => `node-${n} ${n + 11}`));
  });

  test('that somebody else is writing is waited for, then left as it is, and the remedy mends it', async () => {
    writeFileSync(file, good);
    writeFileSync(`${file}.lock`, '');
    const refused = changeSeen(file, () => seen('consortium', 9), 40);
    await expect(refused).rejects.toMatchObject({ name: 'SeenNotKept', kind: 'external' });
    expect(readFileSync(file, 'utf8')).toBe(good);
    setTimeout(() => rmSync(`${file}.lock`), 50);
    await changeSeen(file, () => seen('consortium', 9));
    expect(await readSeen(file)).toEqual(seen('consortium', 9));
  });

  test('is left as it is if there is nothing to say, or the writer fails', async () => {
    writeFileSync(file, good);
    await changeSeen(file, () => undefined);
    const failing = changeSeen(file, () => {
      throw new Error('in the middle');
    });
    await expect(failing).rejects.toThrow('in the middle');
    expect(readFileSync(file, 'utf8')).toBe(good);
    expect(readdirSync(folder)).toEqual(['seen.json']);
  });

  test('is written where a symbolic link leads, and refused by name where nothing can be written', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere/seen.json'), file);
    writeFileSync(join(folder, 'elsewhere/seen.json'), good);
    await changeSeen(file, () => seen('consortium', 9));
    expect(await readSeen(join(folder, 'elsewhere/seen.json'))).toEqual(seen('consortium', 9));
    const nowhere = join(folder, 'nowhere/seen.json');
    await expect(changeSeen(nowhere, () => seen('consortium', 9))).rejects.toThrow(SeenNotKept);
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });
});
