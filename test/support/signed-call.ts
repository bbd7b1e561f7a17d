import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { type RequestOptions, request } from 'node:https';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const bytes = typeof secret === 'string' ? secret : secret && Buffer.from(secret as ArrayBuffer);
    this.#hash = bytes === undefined ? createHash('sha256') : createHmac('sha256', bytes);
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

/** One call of an API behind API Gateway, over TLS, signed as the SDK signs; without credentials not at all. */
export async function signedCall(
  {
    url,
    region,
    credentials,
  }: { readonly url: string; readonly region: string; readonly credentials: Credentials | undefined },
  method: string,
  path: string,
  { body, ...options }: { readonly body?: unknown } & Pick<RequestOptions, 'agent' | 'ca'>,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const { hostname, port, pathname } = new URL(url);
  const [place = '', search = ''] = path.split('?');
  const text = body === undefined ? '' : JSON.stringify(body);
  const unsigned = {
    ...{ method, protocol: 'https:', hostname, port: Number(port), path: `${pathname}${place}` },
    query: Object.fromEntries(new URLSearchParams(search)),
    headers: { host: `${hostname}:${port}`, 'content-type': 'application/json' },
    body: text,
  };
  const signer = credentials && new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  const { headers } = signer === undefined ? unsigned : await signer.sign(unsigned);
  return new Promise((resolve, reject) => {
    const target = `${unsigned.path}${search === '' ? '' : `?${search}`}`;
    const sent = request({ ...options, hostname, port, method, path: target, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString() }));
    });
    sent.on('error', reject).end(text);
  });
}
