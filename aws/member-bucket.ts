import type { S3Client } from '@aws-sdk/client-s3';
import { faultsOfClaim } from '../core/bucket-names.ts';
import { type Deliverable, MemberRefused, type Stored } from '../core/delivery.ts';
import { checkKey } from '../vault/keys.ts';
import { keyNotUsed } from './member-faults.ts';
import type { S3VaultOptions } from './s3-bucket.ts';

export interface S3DestinationOptions {
  /** See `memberClient`: without tries of its own, of the bucket's Region, and with the rights of this delivery alone. */
  readonly client: S3Client;
  /** For `check`: may try what the member has to refuse. By default `client`, whose own rights may then hide a fault. */
  readonly prober?: S3Client;
  /** For `read`: may read under the prefix, as far as the member lets it, and add canaries. By default `client`. */
  readonly reader?: S3Client;
  readonly bucket: string;
  /** The 12 digits of the account that must own the bucket; sent with every call. */
  readonly account: string;
  readonly region: string;
  /** Full ARN of the member's key; without one SSE-S3. */
  readonly kmsKey?: string;
  /** Ends in `/`: see `memberPrefix`. */
  readonly prefix: string;
  /** The vault, if it is a bucket: bytes are then taken from there. Its client has the rights of `client`, in its own Region. */
  readonly source?: S3VaultOptions;
  /** An operator's word that this server is not AWS: it may then be silent about encryption. */
  readonly otherServer?: boolean;
  /** Larger bodies are sent in parts. Size in bytes. */
  readonly partsFrom?: number;
  readonly pace?: Pace;
  /** Who has not copied all parts of an object by then takes them back. Milliseconds; by default there is no end. */
  readonly copyWithin?: number | undefined;
  /** A check of this registration has found nothing before: what it has left is expected to be there. */
  readonly wasSound?: boolean;
}

/** The waits between tries. */
export interface Pace {
  wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
  /** From 0 to 1. */
  random(): number;
}

/** A member's bucket: what all calls to it have in common. */
export type MemberBucket = Omit<S3DestinationOptions, 'source' | 'prober' | 'reader' | 'partsFrom' | 'wasSound'> & {
  readonly url: string;
  readonly pace: Pace;
  readonly partsFrom: number;
};

/** Parameters of every call. */
export const at = ({ bucket, account }: MemberBucket) => ({ Bucket: bucket, ExpectedBucketOwner: account });

/** Parameters of a call about one object. Throws `InvalidKey`. */
export function atKey(to: MemberBucket, key: string) {
  checkKey(key);
  return { ...at(to), Key: to.prefix + key };
}

/** Parameters of the request that begins an object: neither metadata nor tags nor an ACL, encrypted as was agreed. */
export const newObject = (to: MemberBucket, key: string) => ({ ...atKey(to, key), ...encryptionFor(to) });

function encryptionFor({ kmsKey, otherServer }: MemberBucket) {
  if (kmsKey !== undefined)
    return { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKey, BucketKeyEnabled: true } as const;
  return otherServer === true ? {} : ({ ServerSideEncryption: 'AES256' } as const);
}

/** What S3 says of an object that it has written, or will write. */
export interface Answer {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly ChecksumSHA256?: string | undefined;
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
  readonly VersionId?: string | undefined;
}

/** As S3 writes the digest that was sealed. */
export const base64Of = ({ sha256 }: Pick<Deliverable, 'sha256'>): string =>
  Buffer.from(sha256, 'hex').toString('base64');

/** Throws `MemberRefused` if S3 has encrypted in another way than was asked for. `sent`: in one request, with its digest. */
export function written(to: MemberBucket, answer: Answer, sent?: Deliverable): Stored {
  const { ChecksumCRC64NVME: crc64nvme, ChecksumCRC32: crc32, VersionId: versionId } = answer;
  const encryption = encryptionOf(to, answer);
  return {
    outcome: 'written',
    ...(sent === undefined || answer.ChecksumSHA256 !== base64Of(sent) ? {} : { attested: 'sha256' }),
    ...(crc64nvme === undefined ? {} : { crc64nvme }),
    ...(crc32 === undefined ? {} : { crc32 }),
    ...(versionId === undefined ? {} : { versionId }),
    ...(encryption === undefined ? {} : { encryption }),
  };
}

/** Throws like `written`. Undefined: another server than AWS that does not say. */
export function encryptionOf(to: MemberBucket, { ServerSideEncryption: how, SSEKMSKeyId: key }: Answer) {
  const encryption = how === 'aws:kms' ? (key ?? 'a key that S3 does not name') : how;
  if (encryption === (to.kmsKey ?? 'AES256')) return encryption;
  if (encryption === undefined && to.otherServer === true) return undefined;
  throw new MemberRefused(keyNotUsed(to, encryption));
}

/** Throws `MemberRefused` if what was registered cannot be, before any call. */
export function checkClaim(to: MemberBucket): void {
  const [fault] = faultsOfClaim(to);
  if (fault !== undefined) throw new MemberRefused(fault);
}

/** What is put under a key, and how long it may take. */
export interface Putting {
  readonly item: Deliverable;
  readonly signal: AbortSignal;
}
