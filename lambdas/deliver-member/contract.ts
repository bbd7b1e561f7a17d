import * as z from 'zod';
import { HistoryDamaged } from '../../core/chain.ts';
import { ChainDamaged } from '../../core/manifest.ts';
import { MemberAccounts } from '../../core/member-list.ts';
import { MemberId } from '../../core/members.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Of the file `list.json`. */
export const DeliveryList = z.strictObject({ members: MemberAccounts });
export type DeliveryList = z.infer<typeof DeliveryList>;

/** Brings one member further for as long as one call may last, bucket to bucket. To be called again while there is more. */
export const deliverMember = defineStep({
  name: 'deliver-member',
  env: [
    ...(['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'VAULT_LOCK', 'VAULT_KEY'] as const),
    ...(['SIGNING_KEY', 'NETWORK', 'DELIVERY_ROLE'] as const),
  ],
  input: z.strictObject({ member: MemberId }),
  output: z.strictObject({
    outcome: z.enum(['whole', 'more', 'failed', 'suspended', 'later', 'off']),
    more: z.boolean(),
    objects: z.int().min(0),
  }),
  errors: [ChainDamaged, HistoryDamaged, VaultUnavailable],
});
