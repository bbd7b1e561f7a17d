import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { qbftSeal, type ToyChain, toyChain, toyTransactions } from '../support/chain-writer.ts';
import { runCli } from '../support/cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'ledgerhold-chain-'));
afterAll(() => rmSync(cwd, { recursive: true }));

let chain: ToyChain;
const write = (name: string, from: number, to: number, compress = (bytes: Uint8Array): Uint8Array => bytes) =>
  writeFileSync(join(cwd, name), compress(Buffer.concat(chain.blocks.slice(from, to + 1))));
const verify = (...args: string[]) => runCli(['chain', 'verify', ...args, '--json'], { cwd });

/** In the third block's header, where no seal is. */
const DAMAGED = 1500;

beforeAll(async () => {
  const seal = qbftSeal();
  chain = await toyChain(
    Array.from({ length: 30 }, (_, n) => ({ transactions: toyTransactions(n % 4), ...(n > 0 && { seal }) })),
  );
  write('a.rlp', 0, 9);
  write('b.rlp.gz', 10, 19, gzipSync);
  write('c.rlp.zst', 20, 29, zstdCompressSync);
  write('gap.rlp', 12, 29);
  write('2026-11-01T00:00:00Z-block-0-10.rlp', 0, 9);
  write('short.rlp', 0, 9, (bytes) => bytes.subarray(0, -1));
  writeFileSync(join(cwd, 'empty.rlp'), '');
  writeFileSync(join(cwd, 'words.rlp'), 'not blocks at all');
  writeFileSync(join(cwd, 'bomb.rlp.gz'), gzipSync(Buffer.alloc(50_000_000)));
  writeFileSync(join(cwd, 'wide.rlp.zst'), Buffer.from('28b52ffd0080010000', 'hex'));
  writeFileSync(join(cwd, 'damaged.rlp'), Buffer.concat(chain.blocks).fill(9, DAMAGED, DAMAGED + 1));
});

describe('chain verify', () => {
  test('proves files of each compression as one history', async () => {
    const { exit, json, stderr } = await verify('a.rlp', 'b.rlp.gz', 'c.rlp.zst');
    expect(exit).toBe(0);
    expect(json()).toMatchObject({
      ...{ ok: true, code: 'PROVEN', status: 'proven', blocks: 30, transactions: 43, rules: { keccak: 1, qbft: 29 } },
      first: { number: 0, hash: chain.hashes[0] },
      last: { number: 29, hash: chain.hashes[29] },
      files: [
        { file: 'a.rlp', compression: 'none', first: { number: 0 }, last: { number: 9, hash: chain.hashes[9] } },
        { file: 'b.rlp.gz', compression: 'gzip', first: { number: 10, parentHash: chain.hashes[9] }, problems: [] },
        { file: 'c.rlp.zst', compression: 'zstd', blocks: 10, rules: { qbft: 10 } },
      ],
    });
    expect(stderr).toContain('a.rlp');
  });

  test('tells a person the ends, the rules, and the parent that nobody vouches for', async () => {
    const { stdout } = await runCli(['chain', 'verify', 'b.rlp.gz'], { cwd });
    expect(stdout).toContain(`first      10, ${chain.hashes[10]}, after ${chain.hashes[9]} (not checked)`);
    expect(stdout).toContain(`last       19, ${chain.hashes[19]}`);
    expect(stdout).toContain('hashed by  qbft (10 blocks)');
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^PROVEN: 10 blocks in 1 file/);
  });

  test('holds both ends to what is known of them', async () => {
    const [nine = '', nineteen = ''] = [chain.hashes[9], chain.hashes[19]];
    expect((await verify('b.rlp.gz', '--after', nine, '--expect-head', nineteen)).exit).toBe(0);
    const after = await verify('b.rlp.gz', '--after', nineteen);
    expect(after.exit).toBe(1);
    expect(after.json()).toMatchObject({ code: 'VIOLATED', files: [{ problems: [{ error: 'ChainBroken' }] }] });
    const head = await verify('a.rlp', '--expect-head', nineteen.toUpperCase().replace('0X', ''));
    expect(head.json()).toMatchObject({
      files: [{ problems: [{ text: expect.stringContaining('its last block, 9, is') }] }],
    });
  });

  test.each([
    ['a gap between two files', ['a.rlp', 'gap.rlp'], 'begins with block 12; a.rlp ends with block 9'],
    ['files in another order', ['b.rlp.gz', 'a.rlp'], 'begins with block 0; b.rlp.gz ends with block 19'],
    [
      'a range that is not the one in the name',
      ['2026-11-01T00:00:00Z-block-0-10.rlp'],
      'blocks 0 to 10; it holds 0 to 9',
    ],
    ['a cut', ['short.rlp'], 'cut inside a block: 1 of its'],
    ['an empty file', ['empty.rlp'], 'the file is empty'],
    ['words', ['words.rlp'], 'byte 0: no block begins here'],
    ['a bomb', ['bomb.rlp.gz'], 'byte 0: no block begins here'],
    ['a changed byte', ['damaged.rlp'], 'block'],
    ['another rule than the chain’s', ['a.rlp', '--rule', 'ibft'], 'not of the form that ibft has'],
  ])('ends with 1 for %s, and says where', async (_what, args, text) => {
    const { exit, json } = await verify(...args);
    expect(exit).toBe(1);
    expect(json()).toMatchObject({ ok: false, code: 'VIOLATED' });
    expect(JSON.stringify(json())).toContain(text);
  });

  test('tells a person which block is damaged, and at which byte', async () => {
    const { exit, stdout } = await runCli(['chain', 'verify', 'damaged.rlp'], { cwd });
    const starts = chain.blocks.map((_, at) => chain.blocks.slice(0, at).reduce((sum, { length }) => sum + length, 0));
    const next = starts.findIndex((start) => start > DAMAGED);
    expect(exit).toBe(1);
    expect(stdout).toContain('damaged  damaged.rlp  0 to 29, 30 blocks');
    // The header itself is changed, and so the block after it follows another one.
    expect(stdout).toContain(
      `ChainBroken: block ${next}, byte ${starts[next]}: its parent is ${chain.hashes[next - 1]}`,
    );
  });

  test('ends with 3 for what can be neither proven nor refuted', async () => {
    const { exit, json } = await verify('wide.rlp.zst');
    expect(exit).toBe(3);
    expect(json()).toMatchObject({ ok: false, code: 'UNKNOWN', files: [{ problems: [{ error: 'WindowTooLarge' }] }] });
  });

  test.each([
    [['none.rlp'], 'FileUnreadable'],
    [['.'], 'FileUnreadable'],
    [['a.rlp', './a.rlp'], 'UsageError'],
    [['a.rlp', '--after', '0x12'], 'UsageError'],
    [['a.rlp', '--rule', 'clique'], 'UsageError'],
    [[], 'UsageError'],
  ])('ends with 2 for %j', async (args, name) => {
    const { exit, json } = await verify(...args);
    expect(exit).toBe(2);
    expect(json()).toMatchObject({ ok: false, error: { name } });
  });

  test('ends at once when it is interrupted', async () => {
    const { exit } = await runCli(['chain', 'verify', 'a.rlp'], { cwd, onStart: (send) => send('SIGINT') });
    expect(exit).toBe(130);
  });
});
