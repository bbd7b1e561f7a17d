import * as z from 'zod';
import { BlockRange, ChainRun, NodeUnavailable, ReorganisedMeanwhile } from '../../core/chain.ts';
import { Fence } from '../../core/names.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Reads one file's blocks from the node, verifies each, and stores the file and its record; or takes over what lies there. */
export const exportRange = defineStep({
  name: 'export-range',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'CHAINS'],
  input: z.strictObject({ run: ChainRun, fence: Fence, range: BlockRange }),
  output: z.strictObject({
    file: z.string(),
    blocks: z.int().min(1),
    /** Of the file as it lies. */
    size: z.int().min(1),
    /** An earlier attempt had stored it; it was verified whole. */
    adopted: z.boolean(),
  }),
  errors: [NodeUnavailable, ReorganisedMeanwhile, StaleFence, VaultUnavailable],
});
