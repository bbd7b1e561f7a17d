import * as z from 'zod';
import { ChainDamaged } from '../../core/manifest.ts';
import { Fence } from '../../core/names.ts';
import { AskedRun, NotASlot, Run } from '../../core/run.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Applies the slot's rule: sealed, running, or taken with the next fence; never where nothing could be chained after it. */
export const claimSlot = defineStep({
  name: 'claim-slot',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK'],
  /** `holder`: the execution's id (`$$.Execution.Id`), unique to this run. */
  input: z.strictObject({ run: AskedRun, holder: z.string().min(1) }),
  output: z.strictObject({
    /** As it was asked for, with the slot in its one form; the steps after this one go by it. */
    run: Run,
    outcome: z.enum(['taken', 'sealed', 'running']),
    /** The attempt's number: ours if taken, the holder's if running, the set's if sealed. */
    fence: Fence,
    /** The set, if sealed; else empty. */
    set: z.string(),
  }),
  errors: [ChainDamaged, NotASlot, VaultUnavailable],
});
