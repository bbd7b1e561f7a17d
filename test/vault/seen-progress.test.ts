import { expect, test } from '@jest/globals';
import { longestPause, see } from '../../vault/seen-progress.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';

test('what was seen of a component says nothing of another whose name begins like it', async () => {
  const vault = new MemoryVault();
  const at = (minutes: number) => new Date(Date.parse('2026-11-01T00:00:00Z') + minutes * 60_000);
  const capture = { node: 'validator-1', slot: '2026-11-01T00:00:00Z', fence: 1 };
  await see(vault, { ...capture, component: 'app' }, 0, at(0));
  await see(vault, { ...capture, component: 'app-2' }, 50, at(30));
  expect(await longestPause(vault, { ...capture, component: 'app' }, at(60))).toBe(3600);
});
