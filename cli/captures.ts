import type { SpliceNode } from '../config/nodes.ts';
import { readSecret, withoutSecrets } from '../config/secrets.ts';
import type { CaptureOrder, Clock, Encryption } from '../core/ports.ts';
import type { Artifact, Captured } from '../core/receipts.ts';
import type { Vault } from '../core/vault.ts';
import { guardedHttp } from '../io/http.ts';
import { outboundTo } from '../io/http-guard.ts';
import type { Auth } from '../io/oauth.ts';
import { describeSource, type PostgresSource } from '../io/postgres/connection.ts';
import { CUSTOM_DUMP, type DumpOptions, dumpDatabase } from '../io/postgres/dump.ts';
import type { LocalCapture, Watch } from '../local/captures.ts';
import { captureIdentities, type IdentitiesSource, identitiesEndpoint } from '../protocols/splice/identities.ts';
import { scanFacts } from '../protocols/splice/scan.ts';
import { storeArtifact } from '../vault/artifact.ts';
import type { Loaded } from './context.ts';
import type { PreparedNode } from './nodes.ts';
import { positionsOf } from './positions.ts';

/** What captures of this machine need besides the config. */
export interface CapturePorts {
  readonly vault: Vault;
  readonly encryption: Encryption;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: `pg_dump`. */
  readonly dumper?: Dumper;
}

/** What takes a database's dump, and what `Artifact.content` says of it. */
export interface Dumper {
  readonly content: string;
  /** For people: what it will do. */
  does(source: PostgresSource): string;
  dump(component: string, source: PostgresSource, options: DumpOptions): Promise<Captured>;
}

export const PG_DUMP: Dumper = {
  content: CUSTOM_DUMP,
  does: (source) => `pg_dump of ${describeSource(source)}`,
  dump: (_component, source, options) => dumpDatabase(source, options),
};

/** How each component of a node is captured here. */
export function capturesOf(
  loaded: Loaded,
  prepared: PreparedNode,
  ports: CapturePorts,
): (component: string) => LocalCapture {
  const { node, databases } = prepared;
  return (component) => {
    const database = databases.get(component);
    if (database !== undefined)
      return databaseCapture(database, prepared, { ...ports, env: withoutSecrets(ports.env, loaded.config) });
    if (component === 'identities' && node.protocol === 'splice') return identitiesCapture(loaded, node, ports);
    throw new Error(`no capture for ${component}: the config was not prepared with it`);
  };
}

function databaseCapture(source: PostgresSource, { node, protocol }: PreparedNode, ports: CapturePorts): LocalCapture {
  const { clock, env, dumper = PG_DUMP } = ports;
  const registered = node.protocol === 'splice' ? node.participant : undefined;
  const pace = node.rateLimit === undefined ? {} : { bytesPerSecond: node.rateLimit };
  return {
    source: { kind: 'postgres', at: describeSource(source) },
    take: (order, { signal, progress }) =>
      dumper.dump(order.component, source, {
        ...{ environment: env, clock, signal, onProgress: progress },
        readPositions: positionsOf(protocol, order, registered),
        store: (dump) => store(ports, order, dump, { name: '.dump', content: dumper.content, ...pace, signal }),
      }),
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
        store(ports, order, once(bytes), { name: '.json', content, signal }),
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

interface Form extends Partial<Pick<Watch, 'signal'>> {
  /** What the artifact's name ends in, before what its encodings add. */
  readonly name: string;
  readonly content: string;
  readonly bytesPerSecond?: number;
}

function store(
  { vault, encryption }: CapturePorts,
  { network, node, slot, component, prefix }: CaptureOrder,
  bytes: AsyncIterable<Uint8Array>,
  { name, ...form }: Form,
): Promise<Artifact> {
  const sealed = encryption.encoding === undefined ? '' : encryption.encoding === 'age' ? '.age' : '.sealed';
  const context = { network, node, slot, component, content: form.content };
  return storeArtifact(vault, `${prefix}${component}${name}.zst${sealed}`, bytes, {
    ...{ ...form, compress: 'zstd', encryption, context },
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
