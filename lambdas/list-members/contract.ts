import * as z from 'zod';
import { MemberId } from '../../core/members.ts';
import { defineStep } from '../../core/step.ts';
import { VaultUnavailable } from '../../core/vault.ts';

/** Members that one start step starts. */
export const MEMBERS_A_PAGE = 40;
/** 4,000 names of 43 bytes are 172 of the 256 KiB that a state may have. */
export const PAGES_A_LOOK = 100;

/**
 * Looks at every member, tells how many are badly off, and lists in pages those that lack something or want to be checked
 * and are at work in no execution. To be called again while there is more, once these are at work.
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
