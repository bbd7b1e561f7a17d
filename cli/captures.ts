import type { SpliceNode } from '../config/nodes.ts';
import { readSecret, withoutSecrets } from '../config/secrets.ts';
import type { Captured } from '../core/receipts.ts';
import { guardedHttp } from '../io/http.ts';
import { outboundTo } from '../io/http-guard.ts';
import type { Auth } from '../io/oauth.ts';
import { describeSource, type PostgresSource } from '../io/postgres/connection.ts';
import type { LocalCapture } from '../local/captures.ts';
import { captureIdentities, type IdentitiesSource, identitiesEndpoint } from '../protocols/splice/identities.ts';
import { scanFacts } from '../protocols/splice/scan.ts';
import { afterChain } from './after-chain.ts';
import type { Loaded } from './context.ts';
import { type CapturePorts, storeCapture, takeDatabase } from './database-capture.ts';
import type { PreparedNode } from './nodes.ts';

/** How each component of a node is captured here. */
export function capturesOf(
  loaded: Loaded,
  prepared: PreparedNode,
  ports: CapturePorts,
): (component: string) => LocalCapture {
  const { node, databases } = prepared;
  return (component) => {
    const database = databases.get(component);
    if (database !== undefined) {
      const env = withoutSecrets(ports.env, loaded.config);
      const capture = databaseCapture(database, prepared, { ...ports, env });
      return node.protocol === 'tessera' ? afterChain(node.chain.name, ports.vault, capture) : capture;
    }
    if (component === 'identities' && node.protocol === 'splice') return identitiesCapture(loaded, node, ports);
    throw new Error(`no capture for ${component}: the config was not prepared with it`);
  };
}

function databaseCapture(source: PostgresSource, { node, protocol }: PreparedNode, ports: CapturePorts): LocalCapture {
  const registered = node.protocol === 'splice' ? node.participant : undefined;
  const database = { source, protocol, registered, bytesPerSecond: node.rateLimit };
  return {
    source: { kind: 'postgres', at: describeSource(source) },
    take: (order, watch) => takeDatabase(database, order, ports, watch),
  };
}

function identitiesCapture(loaded: Loaded, node: SpliceNode, ports: CapturePorts): LocalCapture {
  const source = identitiesSource(loaded, node);
  return {
    source: { kind: 'identities', at: identitiesEndpoint(source) },
    take: async (order, { signal }) => {
      const http = guardedHttp(outboundTo(originsOf(node)));
      const calls = { http, now: () => ports.clock.now(), signal };
      const captured = await captureIdentities(source, calls, (bytes, { content }) =>
        storeCapture(ports, order, once(bytes), { name: '.json', content, signal }),
      );
      return withScan(captured, node, signal);
    },
  };
}

/** The network's own word on where it stands at the time of the set, where the config says whom to ask. */
async function withScan(captured: Captured, { scan }: SpliceNode, signal: AbortSignal): Promise<Captured> {
  if (scan === undefined) return captured;
  const facts = await scanFacts(scan, guardedHttp(outboundTo([scan])), signal);
  return { ...captured, notes: { ...captured.notes, ...facts } };
}

export function identitiesSource({ secrets }: Loaded, { identities, participant }: SpliceNode): IdentitiesSource {
  const { url, auth } = identities;
  const credentials: Auth =
    'unsafe' in auth ? auth : { ...auth, clientSecret: () => readSecret(auth.clientSecret, secrets) };
  return { url, auth: credentials, registered: participant };
}

/** The only origins that capturing the identities may call. */
export const originsOf = ({ identities: { url, auth } }: SpliceNode): string[] =>
  'unsafe' in auth ? [url] : [url, auth.tokenUrl];

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
