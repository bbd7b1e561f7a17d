import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Operation, refusal, type S3Answer, type S3Memory, type S3Request, s3Memory } from './s3-memory.ts';

/** See `faulty-s3.md` for what each does. */
export type Fault =
  | { readonly status: number; readonly code: string; readonly message?: string }
  | 'drop'
  | 'drop after'
  | 'flip'
  | 'cut'
  | 'stall';

export interface FaultyS3 {
  readonly endpoint: string;
  readonly memory: S3Memory;
  /** Every request received, in order. */
  readonly log: S3Request[];
  /** The next `times` requests for `operation` meet `fault`. Several for one operation happen one after the other. */
  plan(operation: Operation, fault: Fault, times?: number): void;
  /** Called with each request before it is answered. */
  onRequest: (request: S3Request) => Promise<void> | void;
  stop(): Promise<void>;
}

/** An S3 in memory, on a free port of loopback, that fails as planned. */
export async function startFaultyS3(): Promise<FaultyS3> {
  const memory = s3Memory();
  const planned: { operation: Operation; fault: Fault }[] = [];
  // A client that goes away while it sends has asked for nothing.
  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()));
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const request = await received(incoming);
    fake.log.push(request);
    await fake.onRequest(request);
    const index = planned.findIndex(({ operation }) => operation === request.operation);
    const [plan] = index < 0 ? [] : planned.splice(index, 1);
    respond(memory, request, plan?.fault, outgoing);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: FaultyS3 = {
    endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    memory,
    log: [],
    plan: (operation, fault, times = 1) => {
      for (let time = 0; time < times; time += 1) planned.push({ operation, fault });
    },
    onRequest: () => {},
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return fake;
}

function respond(memory: S3Memory, request: S3Request, fault: Fault | undefined, outgoing: ServerResponse): void {
  const drop = (): void => void outgoing.destroy();
  if (fault === 'stall') return;
  if (fault === 'drop') return drop();
  if (typeof fault === 'object') return write(refusal(fault.status, fault.code, fault.message), outgoing);
  const uploading = request.body.length > 0;
  const answer = memory.answer(fault === 'flip' && uploading ? { ...request, body: flipped(request.body) } : request);
  if (fault === 'drop after') return drop();
  const body = Buffer.from(answer.body ?? '');
  if (fault === 'flip' && !uploading) return write({ ...answer, body: flipped(body) }, outgoing);
  if (fault !== 'cut') return write(answer, outgoing);
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
  outgoing.write(body.subarray(0, body.length / 2), drop);
}

function write({ status, headers, body = '' }: S3Answer, outgoing: ServerResponse): void {
  outgoing.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  outgoing.end(body);
}

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy.writeUInt8(copy.readUInt8(0) ^ 1, 0);
  return copy;
}

async function received(incoming: IncomingMessage): Promise<S3Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { pathname, searchParams: query } = new URL(incoming.url ?? '/', 'http://fake');
  const [, bucket = '', ...path] = pathname.split('/');
  const key = decodeURIComponent(path.join('/'));
  const headers = incoming.headers as Record<string, string>;
  return {
    operation: operationOf(incoming.method ?? '', key, query, headers),
    bucket,
    key,
    query,
    headers,
    body: Buffer.concat(chunks),
  };
}

function operationOf(method: string, key: string, query: URLSearchParams, headers: Record<string, string>): Operation {
  const upload = query.has('uploadId');
  if (method === 'PUT' && 'x-amz-copy-source' in headers) return upload ? 'UploadPartCopy' : 'CopyObject';
  if (method === 'PUT') return upload ? 'UploadPart' : 'PutObject';
  if (method === 'POST') return upload ? 'CompleteMultipartUpload' : 'CreateMultipartUpload';
  if (method === 'DELETE') return upload ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'HEAD') return key === '' ? 'HeadBucket' : 'HeadObject';
  if (query.has('versioning')) return 'GetBucketVersioning';
  if (query.has('object-lock')) return 'GetObjectLockConfiguration';
  if (query.has('list-type')) return 'ListObjectsV2';
  return query.has('uploads') ? 'ListMultipartUploads' : 'GetObject';
}
