import { Agent, type ClientRequest, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from './loopback.ts';

/** What becomes of a request: refused before the server has seen it, or its answer lost after the server has done it. */
export type LineFault =
  | 'busy'
  | 'busy after'
  | 'cut'
  | 'cut after'
  | 'cut in the answer'
  | 'error in 200'
  | 'error in 200 after';

export const LINE_FAULTS: readonly LineFault[] = [
  ...(['busy', 'busy after', 'cut', 'cut after', 'cut in the answer'] as const),
  ...(['error in 200', 'error in 200 after'] as const),
];

/** How the way to one bucket is. */
export interface Line {
  /** The fault of the next request, if it has one. */
  readonly fault?: () => LineFault | undefined;
  /** So long each request takes longer. Milliseconds. */
  readonly slowMs?: number;
}

/** A way to an S3 server, bucket by bucket, that a test can spoil. */
export interface FaultyLine extends AsyncDisposable {
  readonly endpoint: string;
  /** Requests that met a fault, by which. */
  readonly met: ReadonlyMap<LineFault, number>;
  set(bucket: string, line: Line): void;
  /** Once so many requests for a bucket have come, no other one of them is on its way while `act` is done; then they go on. */
  after(bucket: string, requests: number, act: () => Promise<void>): void;
}

/** What stands between the test and `origin`, which sees the host that the requests were signed for. */
export async function faultyLine(origin: string): Promise<FaultyLine> {
  const lines = new Map<string, Line>();
  const met = new Map<LineFault, number>();
  const gates = new Map<string, Gate>();
  const agent = new Agent({ keepAlive: true });
  const server = await serve(async (incoming, outgoing) => {
    try {
      const body = await bytesOf(incoming);
      const [, bucket = ''] = new URL(incoming.url ?? '/', origin).pathname.split('/');
      const { fault, slowMs = 0 } = lines.get(bucket) ?? {};
      if (slowMs > 0) await sleep(slowMs);
      const gate = gates.get(bucket) ?? new Gate();
      gates.set(bucket, gate);
      await gate.through(async () => {
        const meets = fault?.();
        if (meets !== undefined) met.set(meets, (met.get(meets) ?? 0) + 1);
        await answer({ origin, agent, body }, incoming, outgoing, meets);
      });
    } catch {
      outgoing.destroy();
    }
  });
  return {
    ...{ endpoint: server.origin, met },
    set: (bucket, line) => void lines.set(bucket, line),
    after: (bucket, requests, act) => void gates.set(bucket, new Gate(requests, act)),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Lets requests through, and once does something with none of them under way. */
class Gate {
  #left: number;
  #act: (() => Promise<void>) | undefined;
  #acting: Promise<void> = Promise.resolve();
  readonly #under = new Set<Promise<void>>();

  constructor(requests = Number.POSITIVE_INFINITY, act?: () => Promise<void>) {
    this.#left = requests;
    this.#act = act;
  }

  async through(task: () => Promise<void>): Promise<void> {
    this.#left -= 1;
    const act = this.#left < 0 ? this.#act : undefined;
    if (act !== undefined) {
      this.#act = undefined;
      this.#acting = Promise.allSettled(this.#under).then(act);
    }
    await this.#acting;
    const under = task().finally(() => this.#under.delete(under));
    this.#under.add(under);
    await under;
  }
}

interface Way {
  readonly origin: string;
  readonly agent: Agent;
  readonly body: Buffer;
}

async function answer(way: Way, incoming: IncomingMessage, outgoing: ServerResponse, fault: LineFault | undefined) {
  if (fault === 'cut') return void outgoing.destroy();
  if (fault === 'busy') return refuse(outgoing, 503, 'SlowDown');
  if (fault === 'error in 200') return refuse(outgoing, statusOfError(incoming), 'InternalError');
  const answered = await forwarded(way, incoming);
  const body = await bytesOf(answered);
  if (fault === 'cut after') return void outgoing.destroy();
  if (fault === 'busy after') return refuse(outgoing, 503, 'SlowDown');
  if (fault === 'error in 200 after') return refuse(outgoing, statusOfError(incoming), 'InternalError');
  outgoing.writeHead(answered.statusCode ?? 500, answered.rawHeaders);
  if (fault !== 'cut in the answer') return void outgoing.end(body);
  outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
}

/** S3 begins to answer some calls before it has done them: of these an error comes with status 200. */
const statusOfError = ({ method, headers, url = '' }: IncomingMessage): number =>
  'x-amz-copy-source' in headers || (method === 'POST' && url.includes('uploadId=')) ? 200 : 500;

function refuse(outgoing: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Of this test.</Message></Error>`;
  outgoing.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
  outgoing.end(body);
}

function forwarded(
  { origin, agent, body }: Way,
  { method, url, rawHeaders }: IncomingMessage,
): Promise<IncomingMessage> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const options = { hostname, port, agent, path: url, headers: rawHeaders, setHost: false };
    const onward: ClientRequest = send({ ...options, ...(method === undefined ? {} : { method }) }, resolve);
    onward.on('error', reject).end(body);
  });
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece);
  return Buffer.concat(pieces);
}
