import * as z from 'zod';
import { NodeName } from '../../core/names.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Every node that the vault has anything of, those too that no config names any more. At most 1,000: 64 KiB of state. */
export const listNodes = defineStep({
  name: 'list-nodes',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT'],
  input: z.strictObject({}),
  output: z.strictObject({ nodes: z.array(NodeName).max(1000) }),
  errors: [VaultUnavailable],
});
