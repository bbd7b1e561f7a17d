import * as z from 'zod';
import { Fence, NodeName, Slot } from '../../core/names.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Ends the lease with the reason, so that `status` can tell it and the next attempt need not wait. */
export const failRun = defineStep({
  name: 'fail-run',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT'],
  /** `failure` is what Step Functions puts into a Catch: the error's name, and mostly its cause as text. */
  input: z.strictObject({
    /** Of any workflow: what else it holds is passed over. */
    run: z.object({ node: NodeName, slot: Slot }),
    fence: Fence,
    failure: z.object({ Error: z.string(), Cause: z.string().optional() }),
  }),
  output: z.strictObject({ error: z.string(), message: z.string() }),
  errors: [VaultUnavailable],
});
