import { createHash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { base64Crc64 } from './crc64-nvme.ts';

/** A request as the fake sees it: names of headers in lower case. */
export interface S3Request {
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export type Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'CopyObject'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads'
  | 'HeadBucket'
  | 'GetBucketVersioning'
  | 'GetObjectLockConfiguration';

interface Stored {
  readonly body: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modified: Date;
  /** Base64; if it was stored with it. */
  readonly sha256?: string | undefined;
  /** Said to be so large: of 5 GiB nobody has the bytes. */
  readonly claims?: number;
}

interface Upload extends Omit<Stored, 'body'> {
  readonly key: string;
  readonly parts: Map<number, Buffer>;
  /** How it was begun: the request's headers say how it is encrypted. */
  readonly begun: S3Request;
  /** The checksum that it was begun with, in lower case. */
  readonly algorithm: string | undefined;
}

/** One bucket, whatever it is called: what S3 promises about objects, without its faults. See `faulty-s3.md`. */
export interface S3Memory {
  readonly objects: Map<string, Stored>;
  readonly uploads: Map<string, Upload>;
  readonly bucket: {
    versions: 'Enabled' | 'Suspended' | undefined;
    locks: boolean;
    /** What is put there without a word of its own is locked for a time. */
    locksByDefault: boolean;
  };
  /** Who owns a bucket; by default `OWNER`. */
  readonly owners: Map<string, string>;
  /** The policy of all buckets: false is 403. */
  allows: (request: S3Request) => boolean;
  /** Headers that say how an object is encrypted; by default as was asked, or with SSE-S3. */
  encrypts: (request: S3Request) => Readonly<Record<string, string>>;
  answer(request: S3Request): S3Answer;
}

type Inside = Pick<S3Memory, 'objects' | 'uploads' | 'bucket' | 'owners' | 'encrypts'>;

export const OWNER = '111111111111';
const PAGE = 10;
const CRC64 = 'x-amz-checksum-crc64nvme';
const FIVE_GIB = 5 * 1024 ** 3;

export function s3Memory(): S3Memory {
  const objects = new Map<string, Stored>();
  const uploads = new Map<string, Upload>();
  const memory: S3Memory = {
    ...{ objects, uploads, bucket: { versions: 'Enabled', locks: true, locksByDefault: false }, owners: new Map() },
    ...{ allows: () => true, encrypts: asAsked },
    answer: (request) => {
      const owner = request.headers['x-amz-expected-bucket-owner'];
      if (owner !== undefined && owner !== ownerOf(memory, request.bucket)) return refusal(403, 'AccessDenied');
      if (!memory.allows(request)) return refusal(403, 'AccessDenied');
      if (memory.bucket.locksByDefault && isUnchecked(request)) return refusal(400, 'InvalidRequest', UNCHECKED);
      if (!isIntact(request)) return refusal(400, 'BadDigest');
      if (!isAsSigned(request)) return refusal(400, 'XAmzContentSHA256Mismatch');
      return operations[request.operation](memory, request);
    },
  };
  return memory;
}

const ownerOf = ({ owners }: Inside, bucket: string): string => owners.get(bucket) ?? OWNER;

function asAsked({ headers }: S3Request): Record<string, string> {
  const key = headers[SSE_KEY];
  return { [SSE]: headers[SSE] ?? 'AES256', ...(key === undefined ? {} : { [SSE_KEY]: key }) };
}

const SSE = 'x-amz-server-side-encryption';
const SSE_KEY = 'x-amz-server-side-encryption-aws-kms-key-id';

type Run = (memory: Inside, request: S3Request) => S3Answer;

const operations: Readonly<Record<Operation, Run>> = {
  PutObject: (memory, request) => {
    const answer = publish(memory, request, { ...described(request), body: request.body });
    const named = ['sha256', 'crc32'].map((kind) => `x-amz-checksum-${kind}`).find((name) => name in request.headers);
    const checksum = named === undefined ? base64Crc64(request.body) : (request.headers[named] ?? '');
    return answer.status === 200 ? { ...answer, headers: { [named ?? CRC64]: checksum, ...answer.headers } } : answer;
  },
  CopyObject: (memory, request) => {
    const body = copied(memory, request.headers);
    if (!Buffer.isBuffer(body)) return body;
    const answer = publish(memory, request, { ...described(request), body });
    const tags = `<ETag>${escaped(etagOf(body))}</ETag><ChecksumCRC64NVME>${base64Crc64(body)}</ChecksumCRC64NVME>`;
    return answer.status === 200 ? { ...answer, ...bodyOf('CopyObjectResult', tags) } : answer;
  },
  GetObject: ({ objects }, { key, headers }) => {
    const found = objects.get(key);
    return found === undefined ? refusal(404, 'NoSuchKey') : sent(found.body, headers['range']);
  },
  HeadObject: ({ objects }, { key }) => {
    const found = objects.get(key);
    if (found === undefined) return { status: 404 };
    const { metadata, body, sha256, claims = body.length } = found;
    const digest = sha256 && { 'x-amz-checksum-sha256': sha256, 'x-amz-checksum-type': 'FULL_OBJECT' };
    const headers = { ...metadata, ...digest, etag: etagOf(body), 'content-length': String(claims) };
    return { status: 200, headers };
  },
  DeleteObject: ({ objects }, { key }) => {
    objects.delete(key);
    return { status: 204 };
  },
  ListObjectsV2: ({ objects }, { query }) => listing(objects, query),
  CreateMultipartUpload: ({ uploads, encrypts }, request) => {
    const id = randomUUID();
    const algorithm = request.headers['x-amz-checksum-algorithm']?.toLowerCase();
    uploads.set(id, { ...described(request), key: request.key, parts: new Map(), algorithm, begun: request });
    const begun = xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`);
    return { ...begun, headers: encrypts(request) };
  },
  UploadPart: ({ uploads }, { query, body }) => {
    const upload = uploads.get(query.get('uploadId') ?? '');
    if (upload === undefined) return refusal(404, 'NoSuchUpload');
    upload.parts.set(Number(query.get('partNumber')), body);
    return { status: 200, headers: { etag: etagOf(body) } };
  },
  UploadPartCopy: (memory, { query, headers }) => {
    const upload = memory.uploads.get(query.get('uploadId') ?? '');
    if (upload === undefined) return refusal(404, 'NoSuchUpload');
    const part = copied(memory, headers);
    if (!Buffer.isBuffer(part)) return part;
    upload.parts.set(Number(query.get('partNumber')), part);
    const tags = `<ETag>${escaped(etagOf(part))}</ETag><ChecksumCRC32>${base64Crc(part)}</ChecksumCRC32>`;
    return xml('CopyPartResult', tags);
  },
  CompleteMultipartUpload: (memory, request) => {
    const id = request.query.get('uploadId') ?? '';
    const upload = memory.uploads.get(id);
    if (upload === undefined) return refusal(404, 'NoSuchUpload');
    const numbers = [...request.body.toString().matchAll(/<PartNumber>(\d+)</g)].map((match) => Number(match[1]));
    const body = Buffer.concat(numbers.map((number) => upload.parts.get(number) ?? Buffer.from('missing')));
    const cited = request.headers['x-amz-checksum-crc32'] ?? (upload.algorithm === 'crc32' ? 'missing' : undefined);
    if (cited !== undefined && cited !== base64Crc(body)) return refusal(400, 'BadDigest');
    const answer = publish(memory, request, { ...upload, body }, upload.begun);
    if (answer.status !== 200) return answer;
    memory.uploads.delete(id);
    const crc64 = `<ChecksumCRC64NVME>${base64Crc64(body)}</ChecksumCRC64NVME>`;
    const tags = cited === undefined ? crc64 : `<ChecksumCRC32>${cited}</ChecksumCRC32>`;
    return { ...answer, ...bodyOf('CompleteMultipartUploadResult', tags) };
  },
  AbortMultipartUpload: ({ uploads }, { query }) =>
    uploads.delete(query.get('uploadId') ?? '') ? { status: 204 } : refusal(404, 'NoSuchUpload'),
  ListMultipartUploads: ({ uploads }) => {
    const entries = [...uploads].map(
      ([id, { key, modified }]) =>
        `<Upload><Key>${escaped(key)}</Key><UploadId>${id}</UploadId>` +
        `<Initiated>${modified.toISOString()}</Initiated></Upload>`,
    );
    return xml('ListMultipartUploadsResult', `<IsTruncated>false</IsTruncated>${entries.join('')}`);
  },
  HeadBucket: () => ({ status: 200 }),
  GetBucketVersioning: ({ bucket: { versions } }) =>
    xml('VersioningConfiguration', versions === undefined ? '' : `<Status>${versions}</Status>`),
  GetObjectLockConfiguration: ({ bucket: { locks } }) =>
    locks
      ? xml('ObjectLockConfiguration', '<ObjectLockEnabled>Enabled</ObjectLockEnabled>')
      : refusal(404, 'ObjectLockConfigurationNotFoundError'),
};

export const refusal = (status: number, code: string, message = `the fake says ${code}`): S3Answer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});

function publish({ objects, encrypts }: Inside, request: S3Request, object: Stored, begun = request): S3Answer {
  const { key, headers } = request;
  if (headers['if-none-match'] === '*' && objects.has(key)) return refusal(412, 'PreconditionFailed');
  objects.set(key, object);
  const version = { 'x-amz-version-id': `version-of-${etagOf(object.body).slice(1, 9)}` };
  return { status: 200, headers: { etag: etagOf(object.body), ...version, ...encrypts(begun) } };
}

function described({ headers }: S3Request): Omit<Stored, 'body'> {
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  const sha256 = headers['x-amz-checksum-sha256'];
  return { metadata: Object.fromEntries(metadata) as Record<string, string>, modified: new Date(), sha256 };
}

/** Where the signature covers the body, the digest in it is that of what was sent. */
function isAsSigned({ headers, body }: S3Request): boolean {
  const signed = headers['x-amz-content-sha256'] ?? '';
  return !/^[0-9a-f]{64}$/.test(signed) || signed === createHash('sha256').update(body).digest('hex');
}

/** Where what comes is locked, S3 takes no body without a checksum of its own: the digest in the signature is none. */
const isUnchecked = ({ operation, headers }: S3Request): boolean =>
  (operation === 'PutObject' || operation === 'UploadPart') &&
  !Object.keys(headers).some((name) => name === 'content-md5' || name.startsWith('x-amz-checksum-'));

const UNCHECKED = 'Content-MD5 OR x-amz-checksum- HTTP header is required for requests with Object Lock parameters';

/** S3 refuses a body (of an object or a part) that is not what its checksum says. */
function isIntact({ operation, headers, body }: S3Request): boolean {
  if (operation !== 'PutObject' && operation !== 'UploadPart') return true;
  const sha256 = headers['x-amz-checksum-sha256'];
  if (sha256 !== undefined) return sha256 === createHash('sha256').update(body).digest('base64');
  const crc = headers['x-amz-checksum-crc32'];
  if (crc !== undefined) return crc === base64Crc(body);
  // The digest in the signature is looked at next.
  return /^[0-9a-f]{64}$/.test(headers['x-amz-content-sha256'] ?? '');
}

function sent(body: Buffer, range: string | undefined): S3Answer {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const headers = { etag: etagOf(body) };
  if (from === undefined) return { status: 200, headers: { ...headers, ...crcHeaders(body) }, body };
  if (Number(from) >= body.length) return refusal(416, 'InvalidRange');
  return { status: 206, headers, body: body.subarray(Number(from), to === '' ? undefined : Number(to) + 1) };
}

/** The bytes that a copy is of: whatever their bucket is called, since there is but one. */
function copied(memory: Inside, headers: S3Request['headers']): Buffer | S3Answer {
  const [bucket = '', ...path] = (headers['x-amz-copy-source'] ?? '').split('/');
  const owner = headers['x-amz-source-expected-bucket-owner'];
  if (owner !== undefined && owner !== ownerOf(memory, bucket)) return refusal(403, 'AccessDenied');
  const found = memory.objects.get(decodeURIComponent(path.join('/')));
  if (found === undefined) return refusal(404, 'NoSuchKey');
  const match = headers['x-amz-copy-source-if-match'];
  if (match !== undefined && match !== etagOf(found.body)) return refusal(412, 'PreconditionFailed');
  const { body, claims = body.length } = found;
  const range = headers['x-amz-copy-source-range'];
  if (range === undefined) return claims > FIVE_GIB ? refusal(400, 'InvalidRequest') : body;
  const [from, to] = (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []).slice(1).map(Number);
  if (from === undefined || to === undefined || to >= claims) return refusal(400, 'InvalidArgument');
  if (to - from >= FIVE_GIB) return refusal(400, 'EntityTooLarge');
  return found.claims === undefined ? body.subarray(from, to + 1) : Buffer.from(`[${range}]`);
}

function listing(objects: Map<string, Stored>, query: URLSearchParams): S3Answer {
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const prefix = query.get('prefix') ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, Math.min(PAGE, Number(query.get('max-keys') ?? PAGE)));
  const entries = page.map((key) => {
    const { body, modified } = objects.get(key) ?? { body: [], modified: new Date() };
    const size = `<Size>${body.length}</Size><LastModified>${modified.toISOString()}</LastModified>`;
    return `<Contents><Key>${escaped(key)}</Key>${size}</Contents>`;
  });
  const more = page.length < keys.length;
  const next = more ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>` : '';
  return xml('ListBucketResult', `<IsTruncated>${more}</IsTruncated>${next}${entries.join('')}`);
}

const bodyOf = (root: string, inside: string) => ({ body: `<${root}>${inside}</${root}>` });
const xml = (root: string, inside: string): S3Answer => ({ status: 200, ...bodyOf(root, inside) });
const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const etagOf = (body: Buffer): string => `"${createHash('md5').update(body).digest('hex')}"`;
const crcHeaders = (body: Buffer) => ({
  'x-amz-checksum-crc32': base64Crc(body),
  'x-amz-checksum-type': 'FULL_OBJECT',
});

function base64Crc(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}
