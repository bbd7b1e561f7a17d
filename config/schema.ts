import * as z from 'zod';
import { NetworkName } from '../core/names.ts';
import { Node } from './nodes.ts';
import { exactlyOne, Seconds, Secret, ServiceUrl, TimeZone } from './values.ts';

const account = z.string().regex(/^\d{12}$/, { error: 'write the 12 digits of the account in quotes' });

const S3 = z.strictObject({
  bucket: z.string().min(3).max(63),
  prefix: z.string().optional(),
  region: z.string().optional(),
  account: account.optional().describe('Expected owner of the bucket, checked on every call'),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Of an S3 server other than AWS'),
  pathStyle: z.boolean().optional().describe('Address the bucket in the path, as such servers often want'),
});

/** Where a vault lies: a folder of this machine, or a bucket. */
export const VaultLocation = exactlyOne({ folder: z.string().min(1), s3: S3 });
export type VaultLocation = z.infer<typeof VaultLocation>;

const notARecipient = (text: string): string =>
  text.startsWith('AGE-SECRET-KEY-')
    ? 'this is the private half: keep it off this machine, and write the recipient that belongs to it: age1…'
    : 'write an age recipient: age1…';

const Encryption = z.union([
  z.literal('none'),
  exactlyOne({
    recipients: z
      .array(z.string().regex(/^age1[a-z0-9-]+$/, { error: ({ input }) => notARecipient(String(input)) }))
      .min(1)
      .max(20),
    kms: z.string().min(1),
  }),
]);

const Signing = exactlyOne({
  keyFile: z.string().min(1).describe('Private key, ECDSA P-256, PEM'),
  kms: z.string().min(1),
});

const memberCommon = { id: NetworkName, enabled: z.boolean().default(true) };
const Member = z.union([
  z.strictObject({ ...memberCommon, account, bucket: z.string().min(3).max(63), region: z.string() }),
  z.strictObject({ ...memberCommon, folder: z.string().min(1) }),
]);

const keep = z.int().min(1).max(10_000);
const Retention = z
  .strictObject({ keepLast: keep, daily: keep, weekly: keep })
  .partial()
  .refine((policy) => Object.keys(policy).length > 0, { error: 'give at least one of keepLast, daily, weekly' });

const Notify = z
  .strictObject({
    command: z.array(z.string().min(1)).min(1).describe('Program and arguments; the report comes on its stdin'),
    webhook: z.strictObject({ url: ServiceUrl, secret: Secret.optional() }),
    deadMansSwitch: z.strictObject({ url: ServiceUrl, every: Seconds.optional() }),
    emails: z
      .array(z.email())
      .min(1)
      .max(20)
      .describe('On AWS: who is told of every alarm; each address has to confirm'),
    pager: ServiceUrl.describe('On AWS: an HTTPS endpoint that SNS calls for what must wake somebody'),
  })
  .partial();

const Days = Seconds.refine((seconds) => seconds % 86_400 === 0, { error: 'write whole days or weeks' }).transform(
  (seconds) => seconds / 86_400,
);

const Aws = z.strictObject({
  account: account.describe('Where `cdk deploy` puts the backup'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'write a Region, such as eu-central-1' }),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).optional().describe('Put on all that is deployed'),
  objectLock: z
    .strictObject({
      mode: z.enum(['governance', 'compliance']).default('governance'),
      records: Days.default(365).describe('Manifests, receipts, keys, tombstones, drills, such as 365 days'),
      artifacts: Days.default(14).describe('Dumps, identities and references, such as 14 days'),
    })
    .optional()
    .describe('For how long nobody can remove or change what is written; in compliance not even the account’s root'),
});

/** As far as the longest tests have gone; a slip of the pen ends here. */
const MOST_MEMBERS = 10_000;

/** Far above what one operator runs, and as far as a test has planned the stacks; a slip of the pen ends here. */
const MOST_NODES = 1000;

const Parts = z.strictObject({
  network: NetworkName,
  vault: VaultLocation,
  secondVault: VaultLocation.optional().describe(
    'A copy of the vault elsewhere. With `aws`, a bucket here is a stack of its own, in the account and Region named',
  ),
  encryption: Encryption,
  signing: Signing,
  aws: Aws.optional().describe('Where `cdk deploy` puts the backup, and `backup` starts the runs of what AWS reaches'),
  timeZone: TimeZone.default('UTC'),
  nodes: z.array(Node).min(1).max(MOST_NODES),
  members: z
    .array(Member)
    .max(MOST_MEMBERS)
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, { error: 'two members have the same id' })
    .optional(),
  retention: Retention.optional(),
  notify: Notify.optional(),
});

/** All of `ledgerhold.yaml`. */
export const Config = Parts.superRefine(({ aws, secondVault, nodes }, { addIssue }) => {
  for (const [index, node] of nodes.entries()) {
    if (aws === undefined || node.protocol !== 'ethereum' || node.components === undefined) continue;
    const message =
      'a chain’s components are captured by the machine that runs `serve`, and not on AWS yet: leave out `aws`';
    addIssue({ code: 'custom', path: ['nodes', index, 'components'], message });
  }
  const s3 = secondVault?.s3;
  if (aws === undefined || s3 === undefined || s3.endpoint !== undefined) return;
  for (const name of ['account', 'region'] as const) {
    const message = `say which ${name} the second vault's bucket is to be in: with \`aws\` it is deployed there`;
    if (s3[name] === undefined) addIssue({ code: 'custom', path: ['secondVault', 's3'], message });
  }
});
export type Config = z.infer<typeof Config>;
