import type { FileCompression } from '../../core/chain.ts';
import { NetworkName, NodeName, Slot } from '../../core/names.ts';
import type { Vault } from '../../core/vault.ts';
import { chainRuntime } from '../../local/chain-runtime.ts';
import { openChainSource } from '../../protocols/ethereum/open-chain-source.ts';
import { claimVaultFormat } from '../../vault/format.ts';
import type { GethNode } from './geth.ts';
import type { Keys } from './toy-sets.ts';
import { emitted } from './workflows.ts';

const NETWORK = NetworkName.parse('acme');
const clock = { now: () => new Date() };

export interface ChainBackup {
  readonly vault: Vault;
  readonly keys: Keys;
  readonly node: string;
  readonly slot: string;
  readonly compression: FileCompression;
  readonly blocksPerFile: number;
}

/** One run of the real steps over real nodes, of which the first is the monitor and all must agree. */
export async function backUpChain(nodes: readonly GethNode[], backup: ChainBackup) {
  const { vault, keys, node, slot, compression, blocksPerFile } = backup;
  await claimVaultFormat(vault, NETWORK);
  const addresses = nodes.map(({ url }, n) => ({ name: `signer-${n}`, url }));
  const [monitor] = addresses;
  if (monitor === undefined) throw new Error('a chain needs a node');
  const source = openChainSource(
    {
      ...{ client: 'geth', monitor, validators: addresses, agreement: 'all', confirmations: 0 },
      ...{ blocksPerFile, compression },
    },
    clock,
  );
  const workflow = chainRuntime(emitted('chain'), {
    ...{ vault, clock, signer: keys.signer, holderGone: () => false },
    ...{ chainOf: async () => source, blocksPerFile: () => blocksPerFile },
  });
  return workflow(
    {
      ...{ network: NETWORK, node: NodeName.parse(node), protocol: 'ethereum' },
      ...{ slot: Slot.parse(slot), reason: 'manual' },
    },
    { executionId: 'test' },
  );
}
