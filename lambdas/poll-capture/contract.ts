import * as z from 'zod';
import { EcsUnavailable } from '../../core/dump-task.ts';
import { RdsUnavailable } from '../../core/rds.ts';
import { CaptureFailed } from '../../core/receipts.ts';
import { Ticket } from '../../core/run.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Asks how far a capture is, renewing the lease meanwhile. */
export const pollCapture = defineStep({
  name: 'poll-capture',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT'],
  input: z.strictObject({ ticket: Ticket, handle: z.string() }),
  /** `waitSeconds` until the next look, spent in the state machine. */
  output: z.strictObject({ ended: z.boolean(), waitSeconds: z.int().min(0).max(300) }),
  errors: [StaleFence, CaptureFailed, VaultUnavailable, RdsUnavailable, EcsUnavailable],
});
