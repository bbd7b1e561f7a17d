import * as z from 'zod';
import { CaptureFailed, PredecessorNotEnded } from '../../core/receipts.ts';
import { Ticket } from '../../core/run.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** The guard, the start half of the receipt, and the capture's first call, in one invocation. */
export const startCapture = defineStep({
  name: 'start-capture',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'CAPTURES', 'ENVELOPE_KEY'],
  input: z.strictObject({ ticket: Ticket }),
  output: z.strictObject({ handle: z.string(), pollSeconds: z.int() }),
  errors: [PredecessorNotEnded, StaleFence, CaptureFailed, VaultUnavailable],
});
