import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface FakeSnapshot {
  readonly id: string;
  readonly status: string;
  readonly key?: string;
}

/** All of it may be changed at any time. Keys and secrets by their ARNs. */
export interface AwsAccount {
  readonly endpoint: string;
  readonly calls: string[];
  readonly denied: Set<string>;
  readonly keys: Map<string, { state: string; deletion?: Date; publicKey?: Buffer }>;
  readonly secrets: Map<string, { deleted?: Date; versions: Record<string, string[]> }>;
  readonly instanceSnapshots: FakeSnapshot[];
  readonly clusterSnapshots: FakeSnapshot[];
  readonly quotas: Record<string, { used: number; max: number }>;
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
    ...{ instanceSnapshots: [], clusterSnapshots: [] },
    quotas: { ManualSnapshots: { used: 0, max: 100 }, ManualClusterSnapshots: { used: 0, max: 100 } },
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
    const [, target] = String(incoming.headers['x-amz-target'] ?? '').split('.');
    if (target === undefined || target === '') return answerQuery(account, new URLSearchParams(body), outgoing);
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

const PAGE = 2;

function answerQuery(account: AwsAccount, query: URLSearchParams, outgoing: ServerResponse): void {
  const action = query.get('Action') ?? '';
  account.calls.push(action);
  const from = Number(query.get('Marker') ?? 0);
  const page = (all: readonly FakeSnapshot[], name: string) => {
    const items = all.slice(from, from + PAGE).map(({ id, status, key }) => {
      const fields = `<${name}Identifier>${id}</${name}Identifier><Status>${status}</Status>`;
      return `<${name}>${fields}${key === undefined ? '' : `<KmsKeyId>${key}</KmsKeyId>`}</${name}>`;
    });
    const marker = from + PAGE < all.length ? `<Marker>${from + PAGE}</Marker>` : '';
    return `<${name}s>${items.join('')}</${name}s>${marker}`;
  };
  const results: Readonly<Record<string, () => string>> = {
    DescribeDBSnapshots: () => page(account.instanceSnapshots, 'DBSnapshot'),
    DescribeDBClusterSnapshots: () => page(account.clusterSnapshots, 'DBClusterSnapshot'),
    DescribeAccountAttributes: () => {
      const quotas = Object.entries(account.quotas).map(
        ([name, { used, max }]) =>
          `<AccountQuota><AccountQuotaName>${name}</AccountQuotaName><Used>${used}</Used><Max>${max}</Max></AccountQuota>`,
      );
      return `<AccountQuotas>${quotas.join('')}</AccountQuotas>`;
    },
  };
  const result = account.denied.has(action) ? undefined : results[action]?.();
  const xml =
    result === undefined
      ? '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>'
      : `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
  outgoing.writeHead(result === undefined ? 403 : 200, { 'content-type': 'text/xml' }).end(xml);
}
