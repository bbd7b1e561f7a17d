import { type ChainRun, ConsensusStalled } from '../../core/chain.ts';
import { NetworkName, NodeName, Slot } from '../../core/names.ts';
import type { Vault } from '../../core/vault.ts';
import { type ChainRuntimePorts, type ChainState, chainRuntime } from '../../local/chain-runtime.ts';
import { canonicalRecords, readHistory } from '../../vault/history.ts';
import { MemoryVault } from '../fakes/memory-vault.ts';
import { toyChain } from './chain-writer.ts';
import { branch, ToyNode, toySource } from './toy-network.ts';
import { type Keys, newKeys } from './toy-sets.ts';
import { emitted } from './workflows.ts';

export const CHAIN_NODE = NodeName.parse('consortium');

export interface HistoryPlace<V extends Vault> {
  readonly vault: V;
  readonly keys: Keys;
  readonly network: string;
  readonly now: () => Date;
}

const runAt = (network: string, slot: string): ChainRun => ({
  ...{ network: NetworkName.parse(network), node: CHAIN_NODE, protocol: 'ethereum' },
  ...{ slot: Slot.parse(slot), reason: 'manual' },
});

/** Runs of the real steps over a vault and a node with `count` blocks. */
export async function historyIn<V extends Vault>(
  place: HistoryPlace<V>,
  count: number,
  settings: Parameters<typeof toySource>[1] = {},
) {
  const { vault, keys, network, now } = place;
  const node = new ToyNode('monitor', await toyChain(branch(count, 1)));
  const source = toySource(node, settings);
  const state = { stalled: false, doubted: false };
  const agree: typeof source.agree = async (...asked) => {
    if (state.stalled || (state.doubted && asked[0] === asked[1]))
      throw new ConsensusStalled('bank-a calls block 9 otherwise', 'Look at bank-a.');
    return source.agree(...asked);
  };
  let runs = 0;
  const ports: ChainRuntimePorts = {
    ...{ vault, clock: { now }, signer: keys.signer, holderGone: (holder: string) => holder !== `run-${runs}` },
    ...{ chainOf: async () => ({ ...source, agree }), blocksPerFile: () => source.blocksPerFile },
  };
  const workflow = chainRuntime(emitted('chain'), ports);
  const run = (slot: string): Promise<ChainState> => {
    runs += 1;
    return workflow(runAt(network, slot), { executionId: `run-${runs}` });
  };
  return {
    /** Of the steps, which take them anew at each call. */
    ports,
    ...{ keys, vault, node, run },
    /** From now on the validators agree on an end, and on no single block that they are asked about. */
    doubt: () => {
      state.doubted = true;
    },
    /** From now on the validators agree on nothing. */
    stall: () => {
      state.stalled = true;
    },
    records: async () => canonicalRecords(await readHistory(vault, CHAIN_NODE)),
  };
}

/** The same in a vault of its own. */
export const historyWorld = (count: number, settings: Parameters<typeof toySource>[1] = {}) =>
  historyIn(
    {
      ...{ vault: new MemoryVault(), keys: newKeys(), network: 'acme' },
      now: () => new Date('2026-11-01T00:00:00Z'),
    },
    count,
    settings,
  );

export type HistoryWorld = Awaited<ReturnType<typeof historyWorld>>;
