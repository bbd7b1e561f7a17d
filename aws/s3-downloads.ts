import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Downloads } from '../core/ports.ts';
import { atKey, type S3VaultOptions, s3Bucket } from './s3-bucket.ts';

/**
 * By the rights of this process, which S3 asks again when the URL is used. It ends with the session that signs it, if
 * that is earlier. The bucket's owner stands in it, and S3 holds it to that.
 */
export function s3Downloads(options: S3VaultOptions): Downloads {
  const bucket = s3Bucket(options);
  return {
    urlOf: (key, expiresIn) => getSignedUrl(bucket.client, new GetObjectCommand(atKey(bucket, key)), { expiresIn }),
  };
}
