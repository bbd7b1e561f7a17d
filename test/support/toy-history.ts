import type { ChainRun } from '../../core/chain.ts';
import { NetworkName, NodeName, Slot } from '../../core/names.ts';
import { type ChainState, chainRuntime } from '../../local/chain-runtime.ts';
import { canonicalRecords, readHistory } from '../../vault/history.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { toyChain } from './chain-writer.ts';
import { branch, ToyNode, toySource } from './toy-network.ts';
import { newKeys } from './toy-sets.ts';
import { emitted } from './workflows.ts';

const now = () => new Date('2026-11-01T00:00:00Z');
export const CHAIN_NODE = NodeName.parse('consortium');

const runAt = (slot: string): ChainRun => ({
  ...{ network: NetworkName.parse('acme'), node: CHAIN_NODE, protocol: 'ethereum' },
  ...{ slot: Slot.parse(slot), reason: 'manual' },
});

/** A vault, a node with `count` blocks, and runs of the real steps over both. */
export async function historyWorld(count: number, settings: Parameters<typeof toySource>[1] = {}, keys = newKeys()) {
  const vault = new MemoryVault();
  const node = new ToyNode('monitor', await toyChain(branch(count, 1)));
  const source = toySource(node, settings);
  let runs = 0;
  const ports = {
    ...{ vault, clock: { now }, signer: keys.signer, holderGone: (holder: string) => holder !== `run-${runs}` },
    ...{ chainOf: async () => source, blocksPerFile: () => source.blocksPerFile },
  };
  const workflow = chainRuntime(emitted('chain'), ports);
  const run = (slot: string): Promise<ChainState> => {
    runs += 1;
    return workflow(runAt(slot), { executionId: `run-${runs}` });
  };
  return { keys, vault, node, run, records: async () => canonicalRecords(await readHistory(vault, CHAIN_NODE)) };
}

export type HistoryWorld = Awaited<ReturnType<typeof historyWorld>>;
