import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { HistoryDamaged } from '../core/chain.ts';
import { type Deliverable, MemberUnavailable, type Stored } from '../core/delivery.ts';
import { COPIED_IN_ONE, type Part, partsOf } from '../core/part-sizes.ts';
import { allOrNone } from './all-or-none.ts';
import { base64Of, type MemberBucket, newObject, type Putting, written } from './member-bucket.ts';
import { persist } from './member-errors.ts';
import { completeUpload, type Upload, uploading } from './member-upload.ts';
import { copyFrom, type S3Bucket, atKey as sourceKey } from './s3-bucket.ts';
import { isCalled, statusOf, unlessS3 } from './s3-errors.ts';

/** S3 copies each part for itself; eight of 512 MiB at once are some GB/s. */
const PARALLEL = 8;

/** An object of the vault as it was looked at, with the rights of this delivery. */
interface Source {
  readonly bucket: S3Bucket;
  readonly key: string;
  readonly etag: string;
}

/**
 * Has S3 copy an object from the vault's bucket, once; no byte passes through here. The vault is asked first, with the
 * rights that the copy has (the checksum that is asked for takes its key, too): what speaks against our own side rejects
 * there, with `HistoryDamaged` or `VaultUnavailable`, and is never taken for the member's.
 */
export async function copyOnce(to: MemberBucket, from: S3Bucket, putting: Putting): Promise<Stored> {
  const source = await look(to, from, putting.item);
  const copy = putting.item.size < COPIED_IN_ONE ? copyWhole : copyParts;
  try {
    return await copy(to, source, putting);
  } catch (error) {
    if (isCalled(error, 'NoSuchKey')) throw missing(putting.item, { cause: error });
    if (statusOf(error) !== 412) throw error;
    // By its status a key that is taken is not told from a source that has changed.
    if ((await look(to, from, putting.item)).etag !== source.etag) throw notAsSealed(putting.item);
    return { outcome: 'there' };
  }
}

/** Rejects if it is not there, or is seen not to be what was sealed: by its size, or the digest where S3 has one. */
async function look(to: MemberBucket, bucket: S3Bucket, item: Deliverable): Promise<Source> {
  const head = new HeadObjectCommand({ ...sourceKey(bucket, item.key), ChecksumMode: 'ENABLED' });
  const found = await unlessS3(
    bucket,
    'NotFound',
    persist(to, undefined, () => bucket.client.send(head)),
  );
  if (found === undefined) throw missing(item);
  const { ContentLength, ETag: etag, ChecksumSHA256: sha256, ChecksumType: type } = found;
  const attested = type === 'COMPOSITE' ? undefined : sha256;
  const sealed = base64Of(item);
  if (ContentLength !== item.size || (attested ?? sealed) !== sealed || etag === undefined) throw notAsSealed(item);
  return { bucket, key: item.key, etag };
}

/** Not to be broken off, since it may take effect: in seconds. */
async function copyWhole(to: MemberBucket, { bucket, key, etag }: Source, { item, signal }: Putting): Promise<Stored> {
  const request = {
    ...{ ...newObject(to, item.key), ...copyFrom(bucket, key, etag), IfNoneMatch: '*' },
    ...({ MetadataDirective: 'REPLACE', TaggingDirective: 'REPLACE', ChecksumAlgorithm: 'CRC64NVME' } as const),
  };
  const answer = await persist(to, signal, () => to.client.send(new CopyObjectCommand(request)));
  return written(to, { ...answer, ChecksumCRC64NVME: answer.CopyObjectResult?.ChecksumCRC64NVME });
}

async function copyParts(to: MemberBucket, source: Source, { item, signal }: Putting): Promise<Stored> {
  const whole = { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'FULL_OBJECT' } as const;
  const begin = new CreateMultipartUploadCommand({ ...newObject(to, item.key), ...whole });
  const late = to.copyWithin === undefined ? undefined : AbortSignal.timeout(to.copyWithin);
  const failed = new AbortController();
  const ending = AbortSignal.any([signal, failed.signal, ...(late === undefined ? [] : [late])]);
  return uploading(to, begin, signal, async (upload) => {
    const limit = pLimit(PARALLEL);
    const parts = partsOf(item.size).map((part) => limit(() => copyPart(to, source, { upload, part }, ending)));
    const copied = await allOrNone(parts, failed);
    signal.throwIfAborted();
    return completeUpload(to, upload, copied);
  }).catch((error: unknown) => {
    throw late !== undefined && error === late.reason ? tooLate(to, item) : error;
  });
}

const tooLate = ({ url, copyWithin = 0 }: MemberBucket, { key, size }: Deliverable): MemberUnavailable =>
  new MemberUnavailable(
    `S3 has not copied the ${size} bytes of ${key} to ${url} within ${copyWithin / 1000} s: they are taken back`,
    'It is tried again by itself. If it never comes through, it is larger than one turn can copy: see docs/deliver.md.',
  );

async function copyPart(
  to: MemberBucket,
  { bucket, key, etag }: Source,
  { upload, part }: { readonly upload: Upload; readonly part: Part },
  signal: AbortSignal,
) {
  const { number: PartNumber, start, end } = part;
  const request = {
    ...upload.at,
    ...copyFrom(bucket, key, etag),
    PartNumber,
    CopySourceRange: `bytes=${start}-${end}`,
  };
  const answer = await persist(to, signal, () =>
    to.client.send(new UploadPartCopyCommand(request), { abortSignal: signal }),
  );
  return { PartNumber, ETag: answer.CopyPartResult?.ETag };
}

const BRING_BACK = 'Run `ledgerhold verify --all`, and bring back what it names from another copy; then deliver again.';

const missing = ({ key }: Deliverable, options?: ErrorOptions): HistoryDamaged =>
  new HistoryDamaged(`${key} is missing in the vault: it goes to nobody`, BRING_BACK, options);

const notAsSealed = ({ key }: Deliverable): HistoryDamaged =>
  new HistoryDamaged(`${key} in the vault is not what was sealed: it goes to nobody`, BRING_BACK);
