import type { EthereumNode } from '../config/nodes.ts';
import { type BlockRange, ChainManifest, ChainRun } from '../core/chain.ts';
import type { Clock } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { type ChainNews, chainRuntime } from '../local/chain-runtime.ts';
import { holderGone, thisHolder } from '../local/holder.ts';
import { type Document, readDocument } from '../vault/documents.ts';
import { chainManifestKey } from '../vault/layout.ts';
import { chainSourceOf } from './chain-source.ts';
import { type Loaded, openSigner } from './context.ts';
import { type BackupRequest, slotRunning, workflowDefinition } from './run-backup.ts';
import { openVault } from './vaults.ts';

export interface ChainWorld {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly warn: (line: string) => void;
  readonly onNews: (news: ChainNews) => void;
  /** How many blocks of a file have been read so far. */
  readonly onBlocks: (range: BlockRange, count: number) => void;
}

export interface ChainResult {
  /** `already-sealed`: an earlier run has done this slot's work; nothing was done. */
  readonly outcome: 'sealed' | 'already-sealed';
  readonly manifest: Document<ChainManifest>;
  readonly vault: Vault;
}

/** One run of the chain workflow in this process. Rejects with what ended it; then the history is as it was. */
export async function runChain(
  loaded: Loaded,
  node: EthereumNode,
  { slot, reason }: BackupRequest,
  { clock, signal, warn, onNews, onBlocks }: ChainWorld,
): Promise<ChainResult> {
  const { network } = loaded.config;
  const run = ChainRun.parse({ network, node: node.name, protocol: node.protocol, slot, reason });
  const vault = await openVault(loaded.config.vault, loaded.path);
  const source = await chainSourceOf(loaded, node, { clock, warn });
  const ports = {
    ...{ vault, clock, holderGone, signer: await openSigner(loaded), onBlocks },
    ...{ chainOf: async () => source, blocksPerFile: () => node.blocksPerFile },
  };
  const workflow = chainRuntime(await workflowDefinition('chain'), ports, onNews);
  const { claimChainSlot, sealChain } = await workflow(run, { executionId: thisHolder(), signal });
  if (claimChainSlot.outcome === 'running') throw slotRunning(slot, claimChainSlot.fence);
  const seq = sealChain?.seq ?? claimChainSlot.seq;
  const manifest = await readDocument(vault, chainManifestKey(node.name, seq), ChainManifest);
  if (manifest === undefined) throw new Error(`manifest ${seq} of ${node.name} was sealed, and is not to be found`);
  return { outcome: sealChain === undefined ? 'already-sealed' : 'sealed', manifest, vault };
}
