import type { Config } from '../../config/schema.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';

/** A bucket as its settings are. Rejects with `VaultUnavailable` if they may not be looked at. */
export type LookAtBucket = (
  address: NonNullable<Config['vault']['s3']>,
) => Promise<{ readonly ownedAsExpected: boolean; readonly versions: boolean; readonly locks: boolean }>;

/** A vault's bucket is the account's, keeps what is removed, and locks what the deployed steps write. */
export const bucketCheckWith = (open: () => Promise<LookAtBucket>): Check => ({
  id: 'bucket',
  title: 'vault’s bucket',
  run: async ({ loaded: { config } }) => {
    const { s3 } = config.vault;
    if (s3 === undefined) return [];
    const account = s3.account ?? config.aws?.account;
    const lookAt = await open();
    const found = await lookAt(account === undefined ? s3 : { ...s3, account });
    if (!found.ownedAsExpected) return [anothers(s3.bucket, String(account))];
    return [
      ...(account === undefined ? [] : [ok(`${s3.bucket} belongs to account ${account}`)]),
      versions(s3.bucket, found.versions, config.aws !== undefined),
      ...locks(s3.bucket, found.locks, config.aws !== undefined),
    ];
  },
});

/** Loaded when it is needed: most vaults are folders. */
export const bucketCheck = bucketCheckWith(async () => (await import('../../aws/open-bucket.ts')).lookAtBucket);

const anothers = (bucket: string, account: string): Finding =>
  fail(
    `${bucket} exists, and does not belong to account ${account}`,
    'Write nothing to it. Correct the bucket’s name (the stack’s output `Vault`), or `account`; if both are right, somebody else has taken that name.',
  );

/** Deployed steps write into a bucket that the stack made with versions and locks: there both were taken away. */
function versions(bucket: string, kept: boolean, deployed: boolean): Finding {
  if (kept) return ok(`${bucket} keeps the versions of what is removed`);
  const text = `${bucket} keeps no versions: what is removed is gone`;
  const remedy = `Run \`aws s3api put-bucket-versioning --bucket ${bucket} --versioning-configuration Status=Enabled\`.`;
  return deployed ? fail(text, remedy) : warn(text, remedy);
}

function locks(bucket: string, locked: boolean, deployed: boolean): Finding[] {
  if (locked) return [ok(`${bucket} has Object Lock`)];
  if (!deployed) return [];
  return [
    fail(
      `${bucket} has no Object Lock, and \`aws\` in the config wants each object locked: no deployed step can write`,
      'See that this is the bucket of the stack’s output `Vault`; else turn it on (`aws s3api put-object-lock-configuration`), after versioning.',
    ),
  ];
}
