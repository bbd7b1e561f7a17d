import * as z from 'zod';
import { EcsUnavailable } from '../../core/dump-task.ts';
import {
  SecretBeingDeleted,
  SecretKeyUnusable,
  SecretsUnavailable,
  SecretUnusable,
} from '../../core/identities-secret.ts';
import { KmsUnavailable } from '../../core/kms.ts';
import { DatabaseBusy, RdsUnavailable } from '../../core/rds.ts';
import { CaptureFailed, PredecessorNotEnded } from '../../core/receipts.ts';
import { Components, Ticket } from '../../core/run.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** The guard, the start half of the receipt, and the capture's first call, in one invocation. */
export const startCapture = defineStep({
  name: 'start-capture',
  /** `COPIED_ELSEWHERE`: `yes` where snapshots are to be copied to another account, else `no`. */
  env: [
    'VAULT_BUCKET',
    'VAULT_PREFIX',
    'VAULT_ACCOUNT',
    'VAULT_LOCK',
    'CAPTURES',
    'DUMP_PLACES',
    'ENVELOPE_KEY',
    'COPIED_ELSEWHERE',
  ],
  /** `components`: of the whole run; from them and the protocol the guard finds what must have ended. */
  input: z.strictObject({ ticket: Ticket, components: Components }),
  output: z.strictObject({ handle: z.string() }),
  errors: [
    PredecessorNotEnded,
    StaleFence,
    CaptureFailed,
    DatabaseBusy,
    VaultUnavailable,
    RdsUnavailable,
    SecretBeingDeleted,
    SecretKeyUnusable,
    SecretsUnavailable,
    SecretUnusable,
    EcsUnavailable,
    KmsUnavailable,
  ],
});
