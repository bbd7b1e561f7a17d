import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { type Emulator, startEmulator } from './emulator.ts';

const SHIM = join(import.meta.dirname, 'ministack-shim.py');
export const ACCOUNT = '111111111111';
export const REGION = 'eu-central-1';

export interface Ministack extends Emulator {
  readonly endpoint: string;
  /** What a process needs to find it, as the root of the account. */
  readonly env: Readonly<Record<string, string>>;
  /** The same for a client of the SDK. */
  readonly connection: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly requestHandler: { readonly httpsAgent?: Agent };
  };
}

/** `enforced`: IAM decides about each call, over TLS with a certificate of its own. */
export async function startMinistack(python: string, { enforced = false } = {}): Promise<Ministack> {
  const credentials = {
    AWS_ACCESS_KEY_ID: ACCOUNT,
    AWS_SECRET_ACCESS_KEY: 'a-secret-of-this-test',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
  };
  const scheme = enforced ? 'https' : 'http';
  const emulator = await startEmulator({
    python,
    args: () => [SHIM],
    env: (port, home) => ({
      ...credentials,
      MINISTACK_ACCOUNT_ID: ACCOUNT,
      MINISTACK_REGION: REGION,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      // Otherwise it listens on every interface for devices.
      IOT_MTLS_ENABLED: 'false',
      ...(enforced ? { AUTH: 'true', USE_SSL: '1', ...certificate(home) } : {}),
    }),
    ready: async (port, home) =>
      enforced
        ? (await statusOverTls(`https://127.0.0.1:${port}/_ministack/ready`, join(home, 'tls.crt'))) === 200
        : (await fetch(`http://127.0.0.1:${port}/_ministack/ready`)).ok,
  });
  const endpoint = `${scheme}://127.0.0.1:${emulator.port}`;
  const trust = join(emulator.home, 'tls.crt');
  const env = {
    ...credentials,
    AWS_ENDPOINT_URL: endpoint,
    ...(enforced ? { AWS_CA_BUNDLE: trust, NODE_EXTRA_CA_CERTS: trust } : {}),
  };
  const connection = {
    ...{ endpoint, region: REGION },
    credentials: { accessKeyId: ACCOUNT, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY },
    requestHandler: enforced ? { httpsAgent: new Agent({ ca: await readFile(trust), keepAlive: true }) } : {},
  };
  return { ...emulator, endpoint, env, connection };
}

/** For loopback, of an hour: made anew each time, so that no other process trusts it. */
function certificate(home: string): Record<string, string> {
  const [key, cert] = [join(home, 'tls.key'), join(home, 'tls.crt')];
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
      ...['-subj', '/CN=127.0.0.1', '-addext', names, '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  return { MINISTACK_SSL_CERT: cert, MINISTACK_SSL_KEY: key };
}

async function statusOverTls(url: string, caFile: string): Promise<number | undefined> {
  const ca = await readFile(caFile);
  return new Promise((resolve, reject) => {
    get(url, { ca }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
  });
}
