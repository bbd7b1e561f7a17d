import * as z from 'zod';
import { KmsUnavailable } from '../../core/kms.ts';
import { ChainDamaged } from '../../core/manifest.ts';
import { Fence, Seq, Sha256 } from '../../core/names.ts';
import { OrderViolated } from '../../core/positions.ts';
import { Run } from '../../core/run.ts';
import { StaleFence } from '../../core/slot.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Proves the order from the receipts, signs, and writes the manifest last: the commit mark. */
export const sealManifest = defineStep({
  name: 'seal-manifest',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'SIGNING_KEY'],
  input: z.strictObject({ run: Run, fence: Fence }),
  output: z.strictObject({
    set: z.string(),
    seq: Seq,
    manifest: Sha256,
    /** A violated set is never sealed. */
    verdict: z.enum(['proven', 'unknown']),
  }),
  errors: [ChainDamaged, KmsUnavailable, OrderViolated, StaleFence, VaultUnavailable],
});
