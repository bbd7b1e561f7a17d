import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** All of it may be changed at any time. Keys and secrets by their ARNs. */
export interface AwsAccount {
  readonly endpoint: string;
  readonly calls: string[];
  readonly denied: Set<string>;
  readonly keys: Map<string, { state: string; deletion?: Date; publicKey?: Buffer }>;
  readonly secrets: Map<string, { deleted?: Date; versions: Record<string, string[]> }>;
  stop(): Promise<void>;
}

/** Behaves as `aws-account.md` says. */
export async function startAwsAccount(): Promise<AwsAccount> {
  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const account: AwsAccount = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ calls: [], denied: new Set(), keys: new Map(), secrets: new Map() },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const [, target = ''] = String(incoming.headers['x-amz-target'] ?? '').split('.');
    account.calls.push(target);
    const { status, json } = answerJson(account, target, JSON.parse(body) as Record<string, string>);
    outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(json));
  };
  return account;
}

const refused = (type: string) => ({ status: 400, json: { __type: type, message: 'the fake says so' } });

function answerJson(account: AwsAccount, action: string, input: Record<string, string>) {
  if (account.denied.has(action)) return refused('AccessDeniedException');
  if (action === 'DescribeSecret') {
    const secret = account.secrets.get(input['SecretId'] ?? '');
    if (secret === undefined) return refused('ResourceNotFoundException');
    const deleted = secret.deleted === undefined ? {} : { DeletedDate: secret.deleted.getTime() / 1000 };
    return { status: 200, json: { ARN: input['SecretId'], VersionIdsToStages: secret.versions, ...deleted } };
  }
  const key = account.keys.get(input['KeyId'] ?? '');
  if (action !== 'DescribeKey' && action !== 'GetPublicKey') return refused('AccessDeniedException');
  if (key === undefined) return refused('NotFoundException');
  if (action === 'DescribeKey') {
    const deletion = key.deletion === undefined ? {} : { DeletionDate: key.deletion.getTime() / 1000 };
    return { status: 200, json: { KeyMetadata: { KeyId: input['KeyId'], KeyState: key.state, ...deletion } } };
  }
  if (key.state !== 'Enabled') return refused('KMSInvalidStateException');
  const PublicKey = key.publicKey?.toString('base64');
  return { status: 200, json: { KeyId: input['KeyId'], KeySpec: 'ECC_NIST_P256', PublicKey } };
}
