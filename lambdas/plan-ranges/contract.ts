import * as z from 'zod';
import { BlockRange, ChainRun, FILES_PER_RUN } from '../../core/chain.ts';
import { Fence } from '../../core/names.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Cuts what was agreed on into files. Those of an earlier attempt at the slot keep their ends, so that they are found again. */
export const planRanges = defineStep({
  name: 'plan-ranges',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'BLOCKS_PER_FILE'],
  input: z.strictObject({ run: ChainRun, fence: Fence }),
  output: z.strictObject({ ranges: z.array(BlockRange).max(2 * FILES_PER_RUN) }),
  errors: [StaleFence, VaultUnavailable],
});
