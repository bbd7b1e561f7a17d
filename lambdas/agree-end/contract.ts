import * as z from 'zod';
import {
  AnotherChain,
  BlockNumber,
  ChainRun,
  ConsensusStalled,
  HistoryDamaged,
  NodeBehind,
  NodeUnavailable,
} from '../../core/chain.ts';
import { ChainDamaged } from '../../core/manifest.ts';
import { Fence } from '../../core/names.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Finds the end that the network agrees on, and whether the newest records are still of the chain; keeps who said what. */
export const agreeEnd = defineStep({
  name: 'agree-end',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'CHAINS'],
  input: z.strictObject({ run: ChainRun, fence: Fence }),
  output: z.strictObject({
    /** Of the first block to export; one more than `end` if there is none. */
    start: BlockNumber,
    end: BlockNumber,
    /** Records that the chain has left. */
    orphaned: z.int().min(0),
  }),
  errors: [
    AnotherChain,
    ChainDamaged,
    ConsensusStalled,
    HistoryDamaged,
    NodeBehind,
    NodeUnavailable,
    StaleFence,
    VaultUnavailable,
  ],
});
