import type { Vault } from '../../core/vault.ts';
import { HISTORY } from '../../vault/history.ts';
import { numberOf } from '../../vault/layout.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { CHAIN_NODE, type HistoryWorld, historyIn, historyWorld } from './toy-history.ts';
import { branch, grown } from './toy-network.ts';

/** What goes out to members: nothing else of a vault ever does. */
const FOR_MEMBERS = ['format.json', 'keys/', 'chain/'];

/** What lies at a member to whom manifests up to `upTo` were delivered, and all files, which come before them. */
export async function deliver(from: Vault, to: Vault, upTo = Number.POSITIVE_INFINITY): Promise<void> {
  for (const prefix of FOR_MEMBERS) {
    for await (const { key } of from.list(prefix)) {
      const number = key.startsWith(HISTORY.prefixOf(CHAIN_NODE)) ? numberOf(key) : undefined;
      if ((number ?? 0) <= upTo) await to.putOnce(key, (await from.get(key)) ?? new Uint8Array());
    }
  }
}

export async function delivered(from: Vault, upTo?: number): Promise<MemoryVault> {
  const to = new MemoryVault();
  await deliver(from, to, upTo);
  return to;
}

/** Three runs over a chain that grows. */
export async function threeRuns(): Promise<HistoryWorld> {
  const world = await historyWorld(6);
  for (const [slot, more] of [
    ['one', 0],
    ['two', 4],
    ['three', 4],
  ] as const) {
    const { chain } = world.node;
    world.node.chain = await grown(chain, chain.blocks.length, branch(more, 1));
    await world.run(slot);
  }
  return world;
}

/** Who has the key tells somebody else another story from the second manifest on; the first is the same. */
export async function otherStory({ vault, keys, node }: HistoryWorld): Promise<Vault> {
  const first = new MemoryVault();
  for (const [key, bytes] of vault.objects) {
    if (/\/(one|manifests\/00000001|[^/]*one-block)/.test(key) || /^(format|keys)/.test(key))
      first.objects.set(key, bytes);
  }
  const other = await historyIn(
    { vault: first, keys, network: 'acme', now: () => new Date('2026-11-01T00:00:00Z') },
    6,
  );
  for (const slot of ['two', 'three'] as const) {
    other.node.chain = await grown(node.chain, 6, branch(slot === 'two' ? 4 : 8, 2));
    await other.run(slot);
  }
  return first;
}
