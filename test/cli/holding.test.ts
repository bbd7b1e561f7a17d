import { expect, test } from '@jest/globals';
import { holding } from '../../cli/holding.ts';
import type { Shell } from '../../cli/shell.ts';
import { type Vault, VaultUnavailable } from '../../core/vault.ts';
import { holdsOn } from '../../vault/holds.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';

const now = new Date('2026-11-01T00:00:00Z');
const set = { node: 'validator-1', seq: 7 };

function world(vault: Vault = new MemoryVault()) {
  const warnings: string[] = [];
  const shell = { clock: { now: () => now }, warn: (line: string) => void warnings.push(line) };
  const use = <T>(work: () => Promise<T>) => holding(shell as unknown as Shell, vault, set, 'drill', work);
  return { vault, warnings, use, held: async () => [...(await holdsOn(vault, set.node, now)).keys()] };
}

test('a set is held while it is used, and let go afterwards, however that ends', async () => {
  const { use, held } = world();
  expect(await use(held)).toEqual([set.seq]);
  expect(await held()).toEqual([]);
  await expect(use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await held()).toEqual([]);
});

test('where nothing can be written the work is done, and it is said', async () => {
  const vault = new MemoryVault();
  vault.putOnce = async () => Promise.reject(new VaultUnavailable('403', ''));
  const { use, warnings } = world(vault);
  expect(await use(async () => 'done')).toBe('done');
  expect(warnings).toEqual([expect.stringContaining('validator-1/7')]);
});
