import { describe, expect, test } from '@jest/globals';
import { afterChain, ChainNotSealed } from '../../cli/after-chain.ts';
import { followedIn } from '../../core/following.ts';
import type { CaptureOrder } from '../../core/ports.ts';
import type { Captured } from '../../core/receipts.ts';
import { proveFollowing } from '../../vault/prove-following.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { CHAIN_NODE, historyWorld } from '../support/toy-history.ts';
import { branch, grown } from '../support/toy-network.ts';

const order = {} as CaptureOrder;
const watch = { signal: new AbortController().signal, progress: () => {} };
const captured = { notes: { kept: 'yes' } } as unknown as Captured;
const capture = (take: () => Promise<void> = async () => {}) => ({
  source: { kind: 'toy', at: 'toy' },
  take: async () => {
    await take();
    return captured;
  },
});
const receipts = (notes: Record<string, string>) =>
  new Map([['tessera', { end: { value: { notes } } }]]) as unknown as Parameters<typeof proveFollowing>[1];

describe('a capture after a chain', () => {
  test('notes the history that was sealed before it began, not one that was sealed meanwhile', async () => {
    const world = await historyWorld(6);
    await world.run('one');
    const { chain } = world.node;
    const goesOn = async () => {
      world.node.chain = await grown(chain, 6, branch(3, 1));
      await world.run('two');
    };
    const { notes } = await afterChain(CHAIN_NODE, world.vault, capture(goesOn)).take(order, watch);
    expect(notes).toMatchObject({ kept: 'yes' });
    expect(followedIn(notes)).toMatchObject({ chain: 'consortium', seq: 1, block: 5, hash: chain.hashes[5] });
    const later = await afterChain(CHAIN_NODE, world.vault, capture()).take(order, watch);
    expect(followedIn(later.notes)).toMatchObject({ seq: 2, block: 8 });
  });

  test('is refused before its first byte while nothing of the chain is sealed', async () => {
    const take = async () => {
      throw new Error('it has begun');
    };
    const refused = afterChain(CHAIN_NODE, new MemoryVault(), capture(take)).take(order, watch);
    await expect(refused).rejects.toThrow(ChainNotSealed);
  });
});

describe('which blocks a set of payloads covers', () => {
  async function noted() {
    const world = await historyWorld(6);
    await world.run('one');
    const { notes } = await afterChain(CHAIN_NODE, world.vault, capture()).take(order, watch);
    return { vault: world.vault, notes };
  }

  test('is told by verify where the history says the same', async () => {
    const { vault, notes } = await noted();
    expect(await proveFollowing(vault, receipts(notes))).toEqual([
      expect.objectContaining({
        level: 'note',
        code: 'PAYLOADS_COVERED',
        text: expect.stringContaining('blocks 0 to 5'),
      }),
    ]);
    expect(await proveFollowing(vault, receipts({ kept: 'yes' }))).toEqual([]);
  });

  test.each([
    ['a block that the history had not reached', { 'covers-to-block': '9' }],
    ['another block of that number', { 'covers-to-hash': `0x${'0'.repeat(64)}` }],
    ['another manifest', { 'after-manifest': '0'.repeat(64) }],
    ['no number', { 'covers-to-block': 'many' }],
  ])('is violated where it names %s', async (_, change) => {
    const { vault, notes } = await noted();
    expect(await proveFollowing(vault, receipts({ ...notes, ...change }))).toMatchObject([
      { level: 'violation', code: 'CHAIN_NOT_FOLLOWED' },
    ]);
  });

  test('is unknown where the history is not in the vault', async () => {
    const { notes } = await noted();
    expect(await proveFollowing(new MemoryVault(), receipts(notes))).toMatchObject([
      { level: 'unknown', code: 'CHAIN_ABSENT' },
    ]);
  });
});
