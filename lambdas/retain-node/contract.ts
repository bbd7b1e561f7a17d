import * as z from 'zod';
import { KmsUnavailable } from '../../core/kms.ts';
import { NodeName } from '../../core/names.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

const keep = z.int().min(1).max(10_000).optional();

/** How much is kept of every node: `retention` and `timeZone` of the config. Nothing said: everything is kept. */
export const RetainPolicy = z.strictObject({
  keep: z.strictObject({ keepLast: keep, daily: keep, weekly: keep }),
  timeZone: z.string(),
});
export type RetainPolicy = z.infer<typeof RetainPolicy>;

/** Names, the first of many: all of them are in tombstones, and a state holds 256 KiB. */
const Some = z.array(z.string()).max(100);

/**
 * Removes what no rule keeps of one node, from the vault and from RDS. The only step that can delete. `RETENTION`
 * is the policy as JSON.
 */
export const retainNode = defineStep({
  name: 'retain-node',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'SIGNING_KEY', 'NETWORK', 'RETENTION'],
  input: z.strictObject({ node: NodeName }),
  output: z.strictObject({
    expired: Some,
    /** Snapshots deleted, and those that RDS would not delete now. */
    snapshots: Some,
    busy: Some,
    /** Objects and uploads that belonged to no set. */
    swept: z.int().min(0),
    /** Bytes of expired sets removed from the vault. */
    bytes: z.int().min(0),
    /** Sets that are kept although a rule might drop them: something of them is missing. */
    damaged: Some,
  }),
  errors: [KmsUnavailable, VaultUnavailable],
});
