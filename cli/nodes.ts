import type { AnyNode, CapturedNode, PostgresConfig } from '../config/nodes.ts';
import { type ConfiguredComponent, componentsOf, isChainNode, refusal } from '../config/order.ts';
import { ConfigInvalid } from '../config/parse.ts';
import { readPlaces } from '../config/places.ts';
import { problemAt } from '../config/problems.ts';
import { readSecret, withoutSecrets } from '../config/secrets.ts';
import type { Reason } from '../core/manifest.ts';
import { ComponentName, Slot } from '../core/names.ts';
import { Run } from '../core/run.ts';
import { slotAt } from '../core/schedule.ts';
import { type SourceIdentity, type WavePlan, waves } from '../core/waves.ts';
import { connectionOf, type PostgresSource } from '../io/postgres/connection.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { protocolNamed } from '../protocols/registry.ts';
import { type Loaded, NotSupportedYet } from './context.ts';
import { effectiveDatabase } from './effective-database.ts';
import { UsageError } from './usage-error.ts';

/** A node whose databases' addresses are known, and whose order has been found sound. Nothing has been called yet. */
export interface PreparedNode {
  readonly node: CapturedNode;
  readonly protocol: Protocol;
  readonly components: readonly ConfiguredComponent[];
  readonly plan: WavePlan;
  /** By component. Holds passwords: never printed, never in a handle. */
  readonly databases: ReadonlyMap<string, PostgresSource>;
}

/** Resolves the addresses that are secrets and sorts the components. Rejects with `ConfigInvalid` or `SecretMissing`. */
export async function prepareNode(loaded: Loaded, node: AnyNode): Promise<PreparedNode> {
  if (isChainNode(node)) {
    const remedy = 'Leave this node to a later version: set enabled: false, or name another with --node.';
    throw new NotSupportedYet(`node ${node.name} is of protocol ${node.protocol}, which is not captured yet`, remedy);
  }
  const protocol = protocolNamed(node.protocol);
  const databases = await databasesOf(loaded, node);
  const path = ['nodes', loaded.config.nodes.indexOf(node.protocol === 'tessera' ? node.chain : node)];
  const identities = new Map([...databases].map(([component, source]) => [component, identityOf(source)]));
  const components = componentsOf(node, path, (component) => identities.get(component));
  const refused = refusal(components, protocol);
  if (refused !== undefined) {
    const message = `${refused.error.message}. ${refused.error.remedy}`;
    const problem = problemAt(refused.path, message, readPlaces(loaded.file, loaded.text), { atKey: true });
    throw new ConfigInvalid(loaded.file, [problem], { cause: refused.error });
  }
  const plan = waves(components, protocol);
  if (node.protocol !== 'tessera') return { node, protocol, components, databases, plan };
  const reason = `after the history of ${node.chain.name} is sealed: ${protocol.orderReason}`;
  return { node, protocol, components, databases, plan: { ...plan, reasons: { tessera: reason } } };
}

async function databasesOf(loaded: Loaded, node: CapturedNode): Promise<Map<string, PostgresSource>> {
  const databases = new Map<string, PostgresSource>();
  for (const [component, { postgres }] of Object.entries(node.components)) {
    // In RDS: captured and restored by snapshots.
    if (postgres === undefined) continue;
    databases.set(component, await sourceOf(loaded, postgres));
  }
  return databases;
}

export async function sourceOf({ config, path, secrets }: Loaded, postgres: PostgresConfig): Promise<PostgresSource> {
  const { url, database, sslRootCert, via, tools } = postgres;
  const given = typeof url === 'string' ? url : await readSecret(url, secrets);
  return {
    url:
      database === undefined
        ? given
        : withDatabase(given, await effectiveDatabase(database.command, withoutSecrets(secrets.env, config))),
    ...(sslRootCert === undefined ? {} : { sslRootCert: path(sslRootCert) }),
    ...(via === undefined ? {} : { via }),
    ...(tools === undefined ? {} : { tools: path(tools) }),
  };
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);

function withDatabase(url: string, name: string): string {
  const address = new URL(url);
  address.pathname = `/${encodeURIComponent(name)}`;
  return address.href;
}

/** Two addresses are one database if host, port and name are: users and passwords do not tell databases apart. */
function identityOf(source: PostgresSource): SourceIdentity {
  const { host, port, database, via } = connectionOf(source);
  const server = `${LOOPBACK.has(host) ? 'localhost' : host}:${port}`;
  return { kind: 'database', server: via.length === 0 ? server : `${server} behind ${via.join(' ')}`, database };
}

/** What the backup workflow is given: names only. */
export function runOf({ config }: Loaded, { node, components }: PreparedNode, slot: Slot, reason: Reason): Run {
  return Run.parse({
    ...{ network: config.network, node: node.name, protocol: node.protocol, slot, reason },
    components: components.map(({ component, role }) => ({ component: ComponentName.parse(component), role })),
    // Polls wait inside: nothing idles on one machine.
    pollSeconds: 0,
    maxSpreadSeconds: node.maxSpread,
  });
}

/** A slot as people write it: an instant in any zone becomes whole seconds in UTC; anything else is an id. */
export function slotOf(text: string): Slot {
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : undefined;
  if (time !== undefined && !Number.isNaN(time)) return slotAt(new Date(time));
  const slot = Slot.safeParse(text);
  if (time === undefined && slot.success) return slot.data;
  const remedy = 'Give a time such as 2026-11-21T09:00:00Z, or an id of at most 64 letters, digits, dots and hyphens.';
  throw new UsageError(`"${text}" is not a slot`, remedy);
}
