import * as z from 'zod';
import { AskedChainRun, ChainRun } from '../../core/chain.ts';
import { ChainDamaged } from '../../core/manifest.ts';
import { Fence } from '../../core/names.ts';
import { NotASlot } from '../../core/run.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/**
 * Applies the slot's rule to a chain: its manifests lie apart from the sets'. A start by the hourly schedule first reads
 * the settings in the vault, and ends where nothing is due by them.
 */
export const claimChainSlot = defineStep({
  name: 'claim-chain-slot',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'TICK'],
  /** `holder`: the execution's id (`$$.Execution.Id`), unique to this run. */
  input: z.strictObject({ run: AskedChainRun, holder: z.string().min(1) }),
  output: z.strictObject({
    /** With the slot in its one form; the steps after this one go by it. */
    run: ChainRun,
    outcome: z.enum(['taken', 'sealed', 'running', 'not-due']),
    /** The attempt's number: ours if taken, the holder's if running, the manifest's if sealed; 1 where none was made. */
    fence: Fence,
    /** Number of the manifest, if sealed; else 0. */
    seq: z.int().min(0),
  }),
  errors: [ChainDamaged, NotASlot, VaultUnavailable],
});
