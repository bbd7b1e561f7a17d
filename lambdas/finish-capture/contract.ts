import * as z from 'zod';
import { ComponentName, Sha256 } from '../../core/names.ts';
import { RdsUnavailable } from '../../core/rds.ts';
import { CaptureFailed } from '../../core/receipts.ts';
import { Ticket } from '../../core/run.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Writes the end half of the receipt of a capture that has ended and been checked. */
export const finishCapture = defineStep({
  name: 'finish-capture',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK'],
  input: z.strictObject({ ticket: Ticket, handle: z.string() }),
  output: z.strictObject({ component: ComponentName, end: Sha256 }),
  errors: [StaleFence, CaptureFailed, VaultUnavailable, RdsUnavailable],
});
