import { createHash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A request as the fake sees it: names of headers in lower case. */
export interface S3Request {
  readonly operation: Operation;
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
}

interface Upload extends Omit<Stored, 'body'> {
  readonly key: string;
  readonly parts: Map<number, Buffer>;
}

/** One bucket: what S3 promises about objects, without its faults. See `faulty-s3.md`. */
export interface S3Memory {
  readonly objects: Map<string, Stored>;
  readonly uploads: Map<string, Upload>;
  readonly bucket: { versions: 'Enabled' | 'Suspended' | undefined; locks: boolean };
  answer(request: S3Request): S3Answer;
}

export const OWNER = '111111111111';
const PAGE = 10;

export function s3Memory(): S3Memory {
  const objects = new Map<string, Stored>();
  const uploads = new Map<string, Upload>();
  const memory = { objects, uploads, bucket: { versions: 'Enabled' as const, locks: true } };
  return {
    ...memory,
    answer: (request) => {
      const owner = request.headers['x-amz-expected-bucket-owner'];
      if (owner !== undefined && owner !== OWNER) return refusal(403, 'AccessDenied');
      if (!isIntact(request)) return refusal(400, 'BadDigest');
      return operations[request.operation](memory, request);
    },
  };
}

type Run = (memory: Omit<S3Memory, 'answer'>, request: S3Request) => S3Answer;

const operations: Readonly<Record<Operation, Run>> = {
  PutObject: ({ objects }, request) => publish(objects, request, { ...described(request), body: request.body }),
  GetObject: ({ objects }, { key, headers }) => {
    const found = objects.get(key);
    return found === undefined ? refusal(404, 'NoSuchKey') : sent(found.body, headers['range']);
  },
  HeadObject: ({ objects }, { key }) => {
    const found = objects.get(key);
    if (found === undefined) return { status: 404 };
    const { metadata, body } = found;
    return { status: 200, headers: { ...metadata, etag: etagOf(body), 'content-length': String(body.length) } };
  },
  DeleteObject: ({ objects }, { key }) => {
    objects.delete(key);
    return { status: 204 };
  },
  ListObjectsV2: ({ objects }, { query }) => listing(objects, query),
  CreateMultipartUpload: ({ uploads }, request) => {
    const id = randomUUID();
    uploads.set(id, { ...described(request), key: request.key, parts: new Map() });
    return xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`);
  },
  UploadPart: ({ uploads }, { query, body }) => {
    const upload = uploads.get(query.get('uploadId') ?? '');
    if (upload === undefined) return refusal(404, 'NoSuchUpload');
    upload.parts.set(Number(query.get('partNumber')), body);
    return { status: 200, headers: { etag: etagOf(body) } };
  },
  UploadPartCopy: ({ objects, uploads }, { query, headers }) => {
    const upload = uploads.get(query.get('uploadId') ?? '');
    if (upload === undefined) return refusal(404, 'NoSuchUpload');
    const part = copied(objects, headers);
    if (!Buffer.isBuffer(part)) return part;
    upload.parts.set(Number(query.get('partNumber')), part);
    const tags = `<ETag>${escaped(etagOf(part))}</ETag><ChecksumCRC32>${base64Crc(part)}</ChecksumCRC32>`;
    return xml('CopyPartResult', tags);
  },
  CompleteMultipartUpload: ({ objects, uploads }, request) => {
    const id = request.query.get('uploadId') ?? '';
    const upload = uploads.get(id);
    if (upload === undefined) return refusal(404, 'NoSuchUpload');
    const numbers = [...request.body.toString().matchAll(/<PartNumber>(\d+)</g)].map((match) => Number(match[1]));
    const body = Buffer.concat(numbers.map((number) => upload.parts.get(number) ?? Buffer.from('missing')));
    if (request.headers['x-amz-checksum-crc32'] !== base64Crc(body)) return refusal(400, 'BadDigest');
    const answer = publish(objects, request, { ...upload, body });
    if (answer.status === 200) uploads.delete(id);
    return answer.status === 200 ? xml('CompleteMultipartUploadResult', '') : answer;
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

export const refusal = (status: number, code: string): S3Answer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>the fake says ${code}</Message></Error>`,
});

function publish(objects: Map<string, Stored>, { key, headers }: S3Request, object: Stored): S3Answer {
  if (headers['if-none-match'] === '*' && objects.has(key)) return refusal(412, 'PreconditionFailed');
  objects.set(key, object);
  return { status: 200, headers: { etag: etagOf(object.body) } };
}

function described({ headers }: S3Request): Omit<Stored, 'body'> {
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return { metadata: Object.fromEntries(metadata) as Record<string, string>, modified: new Date() };
}

/** S3 refuses a body (of an object or a part) that is not what its checksum says. */
function isIntact({ operation, headers, body }: S3Request): boolean {
  if (operation !== 'PutObject' && operation !== 'UploadPart') return true;
  const sha256 = headers['x-amz-checksum-sha256'];
  if (sha256 !== undefined) return sha256 === createHash('sha256').update(body).digest('base64');
  return headers['x-amz-checksum-crc32'] === base64Crc(body);
}

function sent(body: Buffer, range: string | undefined): S3Answer {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const headers = { etag: etagOf(body) };
  if (from === undefined) return { status: 200, headers: { ...headers, ...crcHeaders(body) }, body };
  if (Number(from) >= body.length) return refusal(416, 'InvalidRange');
  return { status: 206, headers, body: body.subarray(Number(from), to === '' ? undefined : Number(to) + 1) };
}

/** The bytes that a copy of a part is of: of the same bucket, since there is but one. */
function copied(objects: Map<string, Stored>, headers: S3Request['headers']): Buffer | S3Answer {
  const owner = headers['x-amz-source-expected-bucket-owner'];
  if (owner !== undefined && owner !== OWNER) return refusal(403, 'AccessDenied');
  const [, ...path] = (headers['x-amz-copy-source'] ?? '').split('/');
  const found = objects.get(decodeURIComponent(path.join('/')));
  if (found === undefined) return refusal(404, 'NoSuchKey');
  const match = headers['x-amz-copy-source-if-match'];
  if (match !== undefined && match !== etagOf(found.body)) return refusal(412, 'PreconditionFailed');
  const range = headers['x-amz-copy-source-range'];
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (range !== undefined && Number(to) >= found.body.length) return refusal(400, 'InvalidArgument');
  return range === undefined ? found.body : found.body.subarray(Number(from), Number(to) + 1);
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

const xml = (root: string, inside: string): S3Answer => ({ status: 200, body: `<${root}>${inside}</${root}>` });
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
