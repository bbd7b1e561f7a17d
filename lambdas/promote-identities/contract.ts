import * as z from 'zod';
import {
  PromotionOvertaken,
  SecretBeingDeleted,
  SecretsUnavailable,
  SecretUnusable,
} from '../../core/identities-secret.ts';
import { ChainDamaged } from '../../core/manifest.ts';
import { NodeName, Seq, Sha256 } from '../../core/names.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** After the seal: makes current in Secrets Manager what the receipts of the sealed set say was stored there, and only that. */
export const promoteIdentities = defineStep({
  name: 'promote-identities',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT'],
  /** `manifest`: the digest of the set's manifest, as the seal has answered it. */
  input: z.strictObject({ node: NodeName, seq: Seq, manifest: Sha256 }),
  /** Names of the secrets; none for a set without identities, or with identities that lie in the vault alone. */
  output: z.strictObject({ promoted: z.array(z.string()) }),
  errors: [ChainDamaged, PromotionOvertaken, SecretBeingDeleted, SecretUnusable, SecretsUnavailable, VaultUnavailable],
});
