import { GetBucketVersioningCommand, GetObjectLockConfigurationCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { type S3Bucket, type S3VaultOptions, s3Bucket } from './s3-bucket.ts';
import { onS3, statusOf, unlessS3 } from './s3-errors.ts';

/** How a bucket is set up, as far as it decides whether what is removed can come back. */
export interface BucketState {
  /** False only if the bucket answers, and not to somebody who expects it to be the account's. */
  readonly ownedAsExpected: boolean;
  readonly versions: boolean;
  readonly locks: boolean;
}

/** Rejects with `VaultUnavailable` if the bucket, or one of its settings, may not be looked at. */
export async function bucketState(options: S3VaultOptions): Promise<BucketState> {
  const bucket = s3Bucket(options);
  if (await isAnothers(bucket)) return { ownedAsExpected: false, versions: false, locks: false };
  const { client, at } = bucket;
  // Other servers than AWS's may have no versions, and no such call.
  const asked = client.send(new GetBucketVersioningCommand(at));
  const versions = (await unlessS3(bucket, 'NotImplemented', asked))?.Status === 'Enabled';
  return { ownedAsExpected: true, versions, locks: versions && (await hasLocks(bucket)) };
}

/** Without versions there is no Object Lock. */
async function hasLocks(bucket: S3Bucket): Promise<boolean> {
  const asked = bucket.client.send(new GetObjectLockConfigurationCommand(bucket.at));
  const answer = await unlessS3(bucket, 'ObjectLockConfigurationNotFoundError', asked);
  return answer?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
}

/** To a wrong owner S3 says no more than 403, as to a missing right; whom it answers without one has the right. */
async function isAnothers(bucket: S3Bucket): Promise<boolean> {
  const { client, at } = bucket;
  if (at.ExpectedBucketOwner === undefined) return false;
  const answers = async (expected: typeof at): Promise<boolean> => {
    try {
      await client.send(new HeadBucketCommand(expected));
      return true;
    } catch (error) {
      if (statusOf(error) === 403) return false;
      return onS3(bucket, Promise.reject(error));
    }
  };
  return !(await answers(at)) && (await answers({ Bucket: at.Bucket }));
}
