import * as z from 'zod';
import { MEMBERS_A_PAGE, PAGES_A_LOOK } from '../../core/member-pages.ts';
import { MemberId } from '../../core/members.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/**
 * Looks at every member, tells how many are badly off, and lists in pages those that lack something or want to be checked
 * and are at work in no execution, also a while later. To be called again while there is more, once these are at work.
 */
export const listMembers = defineStep({
  name: 'list-members',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'NETWORK', 'MEMBER_MACHINE'],
  input: z.strictObject({}),
  output: z.strictObject({
    pages: z.array(z.array(MemberId).min(1).max(MEMBERS_A_PAGE)).max(PAGES_A_LOOK),
    members: z.int().min(0),
    /** There are others, left to the next look. */
    more: z.boolean(),
  }),
  errors: [VaultUnavailable],
});
