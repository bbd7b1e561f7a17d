import * as z from 'zod';
import { BlockNumber, BlockRef, ChainRecord } from './chain.ts';
import { Instant, NetworkName, NodeName, Seq, Sha256, Slot } from './names.ts';
import { Command } from './restore-plan.ts';

/** One canonical file, as its record has it, and where it lies in the vault. */
export const PlannedChainFile = z.strictObject({
  key: z.string(),
  file: ChainRecord.shape.file,
  start: BlockNumber,
  end: BlockNumber,
});
export type PlannedChainFile = z.infer<typeof PlannedChainFile>;

/** A restore of a chain, decided and written down: `apply` imports exactly these blocks and nothing else. */
export const ChainRestorePlan = z.strictObject({
  format: z.literal('ledgerhold/chain-restore-plan/1'),
  createdAt: Instant,
  /** `file:///…` or `s3://bucket/prefix`. */
  vault: z.string(),
  ...{ network: NetworkName, node: NodeName, protocol: z.string(), client: z.enum(['geth', 'quorum', 'besu']) },
  /** `<node>/<seq>`, of the history's manifest that the plan was made by. */
  set: z.string(),
  ...{ seq: Seq, slot: Slot, sealedAt: Instant },
  /** SHA-256 of that manifest's bytes. */
  manifest: Sha256,
  /** The last block, which the restored node must have for its head. */
  head: BlockRef,
  /** What speaks against the history and was accepted by a person. */
  accepted: z.array(z.strictObject({ hazard: z.literal('unproven'), why: z.string() })),
  /** In the order of their blocks, from genesis on. */
  files: z.array(PlannedChainFile).min(1),
  /** As the operator named them; absent where `apply` is to be told. */
  ...{ genesis: z.string().optional(), binary: z.string().optional() },
  /** Words that this client needs on every command line. */
  args: z.array(z.string()),
  /** What a person types who restores by hand, in order. */
  steps: z.array(Command),
  hazards: z.array(z.string()),
  /** State of such a node that no chain file holds. */
  notInFiles: z.array(z.string()),
  after: z.array(z.string()),
});
export type ChainRestorePlan = z.infer<typeof ChainRestorePlan>;
