import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  type CreateMultipartUploadCommand,
} from '@aws-sdk/client-s3';
import type { Stored } from '../core/delivery.ts';
import { encryptionOf, type MemberBucket, written } from './member-bucket.ts';
import { persist } from './member-errors.ts';
import { isCalled, statusOf } from './s3-errors.ts';

/** An object that is sent in parts, and that nobody sees yet. */
export interface Upload {
  /** Parameters of every call about it. */
  readonly at: { Bucket: string; Key: string; ExpectedBucketOwner: string; UploadId: string | undefined };
  /** As S3 promised when it was begun, before the first byte. */
  readonly encryption: string | undefined;
}

/** Begins an upload for `work`, and takes it back unless `work` has completed it. */
export async function uploading(
  to: MemberBucket,
  begin: CreateMultipartUploadCommand,
  signal: AbortSignal,
  work: (upload: Upload) => Promise<Stored>,
): Promise<Stored> {
  const { Bucket = '', Key = '' } = begin.input;
  const answer = await persist(to, signal, () => to.client.send(begin, { abortSignal: signal }));
  const upload = { Bucket, Key, ExpectedBucketOwner: to.account, UploadId: answer.UploadId };
  try {
    return await work({ at: upload, encryption: encryptionOf(to, answer) });
  } catch (error) {
    // What cannot be taken back now, the bucket's lifecycle will: why it ended is what the caller has to hear.
    await to.client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    throw error;
  }
}

/**
 * Gives an upload its key. Not to be broken off: what was asked for may take effect. Where the key is taken after an
 * answer of ours was lost, the upload tells who has it, since we may not look at the object: it is still there to be
 * taken back if somebody else's object lies under the key, and is gone if it has become that object. `whole`: what S3 has to
 * have then.
 */
export async function completeUpload(
  to: MemberBucket,
  upload: Upload,
  Parts: CompletedPart[],
  whole: Pick<CompleteMultipartUploadCommandInput, 'ChecksumCRC32' | 'ChecksumType'> = {},
): Promise<Stored> {
  let sent = 0;
  try {
    const request = { ...upload.at, ...whole, IfNoneMatch: '*', MultipartUpload: { Parts } };
    const answer = await persist(to, undefined, () => {
      sent += 1;
      return to.client.send(new CompleteMultipartUploadCommand(request));
    });
    return written(to, answer);
  } catch (error) {
    if (statusOf(error) !== 412) throw error;
    const gone = await isGone(to, upload);
    if (sent === 1 || !gone) return { outcome: 'there' };
    const { encryption } = upload;
    return { outcome: 'written', ...(encryption === undefined ? {} : { encryption }) };
  }
}

/** Takes an upload back. True only if S3 says, asked once, that there is none: asking twice would answer itself. */
async function isGone(to: MemberBucket, { at }: Upload): Promise<boolean> {
  try {
    await to.client.send(new AbortMultipartUploadCommand(at));
    return false;
  } catch (error) {
    return isCalled(error, 'NoSuchUpload');
  }
}
