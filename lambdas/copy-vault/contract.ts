import * as z from 'zod';
import { Instant } from '../../core/names.ts';
import { LackingSnapshot } from '../../core/snapshot-copies.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Gives the second vault what it lacks, for as long as one call may last. To be called until it is done. */
export const copyVault = defineStep({
  name: 'copy-vault',
  env: [
    'VAULT_BUCKET',
    'VAULT_PREFIX',
    'VAULT_ACCOUNT',
    'VAULT_LOCK',
    'SECOND_BUCKET',
    'SECOND_PREFIX',
    'SECOND_ACCOUNT',
    'SECOND_REGION',
  ],
  input: z.strictObject({}),
  output: z.strictObject({
    /** Whether the second vault had everything at the end. */
    done: z.boolean(),
    objects: z.int().min(0),
    bytes: z.int().min(0),
    /** Of a turn that is done: snapshots that sets refer to and the second vault has no copy of, the newest of each node first. */
    snapshots: z.array(LackingSnapshot).max(100),
    /** Until when this run looks at their copies. */
    lookUntil: Instant,
  }),
  errors: [VaultUnavailable],
});
