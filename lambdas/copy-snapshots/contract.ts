import * as z from 'zod';
import { Instant } from '../../core/names.ts';
import { RdsUnavailable } from '../../core/rds.ts';
import { LackingSnapshot, SecondAccountRefused, SnapshotNotCopied } from '../../core/snapshot-copies.ts';
import { SnapshotsUnavailable } from '../../core/snapshot-janitor.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Brings the copies of these snapshots further, as far as they will go now. To be called until it is done. */
export const copySnapshots = defineStep({
  name: 'copy-snapshots',
  env: [
    'VAULT_BUCKET',
    'VAULT_PREFIX',
    'VAULT_ACCOUNT',
    'VAULT_LOCK',
    'SECOND_BUCKET',
    'SECOND_PREFIX',
    'SECOND_ACCOUNT',
    'SECOND_REGION',
    'SECOND_ROLE',
    'SECOND_KEY',
  ],
  input: z.strictObject({
    snapshots: z.array(LackingSnapshot),
    /** Until when this run looks; what is still on its way then is left to the next one. */
    lookUntil: Instant,
  }),
  output: z.strictObject({
    /** Whether nothing is left that this run waits for. */
    done: z.boolean(),
    waitSeconds: z.int().min(0),
    copied: z.int().min(0),
    going: z.int().min(0),
    waiting: z.int().min(0),
  }),
  errors: [VaultUnavailable, RdsUnavailable, SnapshotsUnavailable, SnapshotNotCopied, SecondAccountRefused],
});
