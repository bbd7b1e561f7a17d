import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import { toyChain, toyTransactions } from '../support/chain-writer.ts';
import { PROGRAM } from '../support/cli-world.ts';

const LIMIT_MEGABYTES = 200;
const dir = mkdtempSync(join(tmpdir(), 'ledgerhold-chain-memory-'));
afterAll(() => rmSync(dir, { recursive: true }));

/**
 * Says at its end how much memory the program ever held, its threads included. Not `maxRSS`: the kernel hands it on through
 * `exec`, so that it may be that of whoever started the program.
 */
const TELL = `import { readFileSync } from 'node:fs';
process.on('exit', () => console.error(/VmHWM:.*/.exec(readFileSync('/proc/self/status', 'utf8'))[0]));`;

function megabytes(files: readonly string[]): number {
  const args = [
    '--import',
    `data:text/javascript,${encodeURIComponent(TELL)}`,
    PROGRAM,
    'chain',
    'verify',
    '--quiet',
    ...files,
  ];
  const { stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
  // Each thread says it too, and of the whole process.
  return Math.max(...[...stderr.matchAll(/VmHWM:\s*(\d+)/g)].map(([, kilobytes]) => Number(kilobytes))) * 0.001024;
}

function threeOf(name: string, bytes: Uint8Array): string[] {
  const files = [1, 2, 3].map((n) => `${n}-${name}`);
  for (const file of files) writeFileSync(join(dir, file), bytes);
  return files;
}

describe('memory, with three files', () => {
  test.each([
    ['plain', (bytes: Uint8Array) => bytes],
    ['gzip', (bytes: Uint8Array) => gzipSync(bytes, { level: 1 })],
    ['zstd', (bytes: Uint8Array) => zstdCompressSync(bytes)],
  ])('stays below its limit for 100 MB of blocks, %s', async (name, compress) => {
    const { blocks } = await toyChain(Array.from({ length: 50 }, (_, n) => ({ transactions: toyTransactions(n) })));
    const once = Buffer.concat(blocks);
    const bytes = Buffer.concat(Array.from({ length: Math.ceil(1e8 / once.length) }, () => once));
    expect(megabytes(threeOf(name, compress(bytes)))).toBeLessThan(LIMIT_MEGABYTES);
  });

  test('stays below it for blocks of 9 MB', async () => {
    const huge = { transactions: [new Uint8Array(9_000_000).fill(3)] };
    const { blocks } = await toyChain([huge, huge, huge]);
    expect(megabytes(threeOf('huge', Buffer.concat(blocks)))).toBeLessThan(LIMIT_MEGABYTES);
  });

  test('stays below it for a gzip bomb, which is refused at its first byte', () => {
    const files = threeOf('bomb.gz', gzipSync(Buffer.alloc(500_000_000), { level: 1 }));
    expect(megabytes(files)).toBeLessThan(LIMIT_MEGABYTES);
  });
});
