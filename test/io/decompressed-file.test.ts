import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openDecompressed } from '../../io/decompressed-file.ts';
import { CompressionDamaged, FileUnreadable, WindowTooLarge } from '../../io/file-errors.ts';

const dir = mkdtempSync(join(tmpdir(), 'ledgerhold-decompressed-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Part of it compresses, part of it does not, so that there are blocks of each kind. */
const CONTENT = Buffer.concat([Buffer.alloc(300_000, 7), randomBytes(400_000)]);
const gzip = gzipSync(CONTENT);
const zstd = zstdCompressSync(CONTENT);
const checked = zstdCompressSync(CONTENT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
const skippable = Buffer.from('502a4d1803000000010203', 'hex');

async function read(bytes: Uint8Array): Promise<{ compression: string; content: Buffer; read: number }> {
  const file = join(dir, 'file');
  writeFileSync(file, bytes);
  const { compression, bytes: pieces } = await openDecompressed(file);
  const all: Buffer[] = [];
  let count = 0;
  for await (const piece of pieces((more) => (count += more))) all.push(Buffer.from(piece));
  return { compression, content: Buffer.concat(all), read: count };
}

describe('a file', () => {
  test.each([
    ['none', 'as it lies', CONTENT, 1],
    ['gzip', 'of one member', gzip, 1],
    ['gzip', 'of two members', Buffer.concat([gzip, gzip]), 2],
    ['zstd', 'of one frame', zstd, 1],
    [
      'zstd',
      'of frames with and without a checksum, and what is to be skipped',
      Buffer.concat([checked, skippable, zstd, skippable]),
      2,
    ],
  ])('compressed by %s, %s, is read whole', async (compression, _what, bytes, times) => {
    const found = await read(bytes);
    expect(found).toMatchObject({ compression, read: bytes.length });
    expect(found.content.equals(Buffer.concat(Array.from({ length: times }, () => CONTENT)))).toBe(true);
  });

  test('that is empty has no bytes', async () => {
    expect(await read(Buffer.alloc(0))).toMatchObject({ compression: 'none', read: 0 });
  });

  test.each([
    ['gzip that is cut', gzip.subarray(0, -3)],
    ['gzip with a second member that is cut', Buffer.concat([gzip, gzip.subarray(0, 20)])],
    ['gzip followed by words', Buffer.concat([gzip, Buffer.from('words')])],
    ['gzip followed by zeros', Buffer.concat([gzip, Buffer.alloc(9)])],
    ['gzip of which a byte is changed', change(gzip)],
    ['zstd that is cut in a block', zstd.subarray(0, -3)],
    ['zstd that is cut in its checksum', checked.subarray(0, -3)],
    ['zstd that is cut before its last block', zstd.subarray(0, 40)],
    ['zstd with a second frame that is cut', Buffer.concat([zstd, zstd.subarray(0, 20)])],
    ['zstd followed by words', Buffer.concat([zstd, Buffer.from('words')])],
    ['zstd followed by zeros', Buffer.concat([zstd, Buffer.alloc(9)])],
    ['zstd of which a byte is changed', change(checked)],
    ['zstd with a block of no known type', Buffer.from('28b52ffd0058070000', 'hex')],
  ])('of %s is damaged', async (_what, bytes) => {
    await expect(read(bytes)).rejects.toThrow(CompressionDamaged);
  });

  test.each([
    ['a window of 64 MiB', '28b52ffd0080010000'],
    ['one segment of 64 MiB', '28b52ffda000000004010000'],
    ['one segment of 2^60 bytes', '28b52ffde00000000000000010010000'],
  ])('whose zstd needs %s is not read, and is not called damaged', async (_what, hexadecimal) => {
    await expect(read(Buffer.from(hexadecimal, 'hex'))).rejects.toThrow(WindowTooLarge);
  });

  test.each([
    ['is not there', () => join(dir, 'none')],
    ['is a folder', () => dir],
  ])('that %s is told by its name', async (_what, name) => {
    await expect(openDecompressed(name())).rejects.toThrow(FileUnreadable);
    await expect(openDecompressed(name())).rejects.toThrow(name());
  });
});

function change(bytes: Uint8Array): Buffer {
  const changed = Buffer.from(bytes);
  const at = changed.length - 2000;
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
