import type * as z from 'zod';
import type { BucketDestination } from './destination.ts';
import type { MemberFault } from './members.ts';

/** What a member says of its bucket. */
export type BucketClaim = Pick<z.infer<typeof BucketDestination>, 'bucket' | 'region' | 'account' | 'kmsKey'>;

/** Without dots, which S3 allows and TLS does not: its certificate is for one label before `.s3.<region>`. */
const NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
/** S3's own: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const RESERVED = /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$/;
/** Names that only one account can have in one Region. */
const OF_AN_ACCOUNT = /-(?<account>\d{12})-(?<region>[a-z]{2}(?:-[a-z]+)+-\d)-an$/;
const KEY_ARN = /^arn:aws[a-z-]*:kms:(?<region>[a-z0-9-]+):(?<account>\d{12}):key\/[A-Za-z0-9-]+$/;

/** What shows without a call that a bucket cannot be what a member says. Empty: nothing. */
export function faultsOfClaim(claim: BucketClaim): readonly MemberFault[] {
  return [nameFault(claim), keyFault(claim)].filter((fault) => fault !== undefined);
}

function nameFault({ bucket, account, region }: BucketClaim): MemberFault | undefined {
  if (!NAME.test(bucket) || RESERVED.test(bucket)) {
    return {
      name: 'BAD_NAME',
      message: `${JSON.stringify(bucket)} is not the name of a bucket that files can go to`,
      remedy: 'Give the name alone of a general purpose bucket: 3 to 63 lower-case letters, digits and hyphens.',
    };
  }
  const own = OF_AN_ACCOUNT.exec(bucket)?.groups;
  if (own === undefined ? !bucket.endsWith('-an') : own['account'] === account && own['region'] === region) {
    return undefined;
  }
  return {
    name: 'NAME_LIES',
    message: `${bucket} is not the name of a bucket of account ${account} in ${region}`,
    remedy: 'Register the account and the Region that are in the name of the bucket.',
  };
}

function keyFault({ kmsKey, account, region }: BucketClaim): MemberFault | undefined {
  if (kmsKey === undefined) return undefined;
  const key = KEY_ARN.exec(kmsKey)?.groups;
  return key?.['account'] === account && key['region'] === region ? undefined : anotherKey(kmsKey, account, region);
}

const anotherKey = (key: string, account: string, region: string): MemberFault => ({
  name: 'ANOTHER_KEY',
  message: `${key} is not the ARN of a key of account ${account} in ${region}`,
  remedy: 'Register the full ARN (`…:key/…`) of a key of your own account and Region, or none for SSE-S3.',
});
