import * as z from 'zod';
import { ChainSettings } from '../../core/chain-settings.ts';
import { MemberId } from '../../core/members.ts';
import { defineStep } from '../../core/step.ts';

/** Of `MEMBERS`, as JSON: the network's list. */
export const MemberAccounts = z.record(MemberId, z.string().regex(/^\d{12}$/));
export type MemberAccounts = z.infer<typeof MemberAccounts>;

/** Of `CHAINS`, as JSON: by chain what the configuration says of its backup. */
export const ChainDefaults = z.record(z.string(), ChainSettings);
export type ChainDefaults = z.infer<typeof ChainDefaults>;

/** What API Gateway hands over for one call, as far as it is used. */
export const ApiEvent = z.looseObject({
  httpMethod: z.string(),
  path: z.string(),
  queryStringParameters: z.record(z.string(), z.string()).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.looseObject({
    /** What AWS attests of who has signed. */
    identity: z.looseObject({ accountId: z.string().nullish(), userArn: z.string().nullish() }),
  }),
});
export type ApiEvent = z.infer<typeof ApiEvent>;

/**
 * Answers the API of members and of the operator: `core/member-api.ts`. It delivers nothing: `DELIVERIES` is the state
 * machine that does, and that is started after what a member has changed.
 */
export const memberApi = defineStep({
  name: 'member-api',
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'MEMBERS', 'CHAINS', 'DELIVERIES'],
  input: ApiEvent,
  output: z.strictObject({ statusCode: z.int(), headers: z.record(z.string(), z.string()), body: z.string() }),
  errors: [],
});
