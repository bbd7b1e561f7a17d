import * as z from 'zod';
import {
  BlockNumber,
  ChainRun,
  HistoryDamaged,
  HistoryMoved,
  NodeUnavailable,
  ReorganisedMeanwhile,
} from '../../core/chain.ts';
import { KmsUnavailable } from '../../core/kms.ts';
import { ChainDamaged } from '../../core/manifest.ts';
import { Fence, Seq, Sha256 } from '../../core/names.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/**
 * Sees that the records lead without a gap to the agreed end, asks the node once more, and writes the manifest last.
 * `DELIVERIES`: the state machine that then brings it to the members; empty where there are none.
 */
export const sealChain = defineStep({
  name: 'seal-chain',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'SIGNING_KEY', 'CHAINS', 'DELIVERIES'],
  input: z.strictObject({ run: ChainRun, fence: Fence }),
  output: z.strictObject({
    seq: Seq,
    manifest: Sha256,
    records: z.int().min(0),
    orphaned: z.int().min(0),
    /** Of the history's last block. */
    head: BlockNumber,
  }),
  errors: [
    ...[ChainDamaged, HistoryDamaged, HistoryMoved, NodeUnavailable, ReorganisedMeanwhile, StaleFence],
    KmsUnavailable,
    VaultUnavailable,
  ] as const,
});
