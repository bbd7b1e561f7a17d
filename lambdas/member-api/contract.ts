import * as z from 'zod';
import { ChainSettings } from '../../core/chain-settings.ts';
import { MemberAccounts } from '../../core/member-list.ts';
import { defineStep } from '../../core/step.ts';

/** By chain what the configuration says of its backup. */
export const ChainDefaults = z.record(z.string(), ChainSettings);
export type ChainDefaults = z.infer<typeof ChainDefaults>;

/** Of the file `list.json`. */
export const ApiList = z.strictObject({ members: MemberAccounts, chains: ChainDefaults });
export type ApiList = z.infer<typeof ApiList>;

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
  env: ['VAULT_BUCKET', 'VAULT_PREFIX', 'VAULT_ACCOUNT', 'DELIVERIES'],
  input: ApiEvent,
  output: z.strictObject({ statusCode: z.int(), headers: z.record(z.string(), z.string()), body: z.string() }),
  errors: [],
});
