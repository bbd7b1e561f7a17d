import { LedgerholdError } from '../core/errors.ts';
import { type Placed, type SourceIdentity, waves } from '../core/waves.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { protocolNamed } from '../protocols/registry.ts';
import type { AnyNode, CapturedNode, ComponentConfig, DatabaseNode, EthereumNode, PostgresConfig } from './nodes.ts';
import { payloadNodes } from './payloads.ts';
import type { Places } from './places.ts';
import { type Path, type Problem, problemAt } from './problems.ts';
import type { Config } from './schema.ts';

/** A component as the order sees it, and where it stands in the config. */
export interface ConfiguredComponent extends Placed {
  readonly path: Path;
}

/** The components of a node that are captured in order; `resolved` says where a component's database address leads. */
export function componentsOf(
  node: CapturedNode,
  path: Path,
  resolved?: (component: string) => SourceIdentity | undefined,
): ConfiguredComponent[] {
  const databases = Object.entries(node.components).map(([component, { role = component, ...source }]) => ({
    ...{ component, role, path: [...path, 'components', component] },
    source: source.postgres === undefined ? instanceOf(source) : (resolved?.(component) ?? unresolved(source.postgres)),
  }));
  if (node.protocol !== 'splice') return databases;
  const identities = { component: 'identities', role: 'identities', path: [...path, 'identities'] };
  return [{ ...identities, source: { kind: 'other', at: node.identities.url } }, ...databases];
}

export const isDatabaseNode = (node: AnyNode): node is DatabaseNode =>
  node.protocol === 'splice' || node.protocol === 'canton';

export const isChainNode = (node: AnyNode): node is EthereumNode => node.protocol === 'ethereum';

/** What the order of every node forbids, with its place; addresses that are secrets are told apart by their names. */
export function orderProblems({ nodes }: Config, places: Places): Problem[] {
  const names = nodes.map(({ name }) => name);
  const taken = payloadNodes({ nodes }).map(({ name }) => name);
  return nodes.flatMap((node, index) => {
    const path = ['nodes', index];
    const twice = names.indexOf(node.name) < index;
    return [
      ...(twice ? [problemAt([...path, 'name'], 'another node has this name', places)] : []),
      ...(taken.includes(node.name)
        ? [problemAt([...path, 'name'], 'the sets of a chain’s private payloads have this name', places)]
        : []),
      ...(isDatabaseNode(node)
        ? nodeProblems(componentsOf(node, path), protocolNamed(node.protocol), path, places)
        : []),
    ];
  });
}

function nodeProblems(components: ConfiguredComponent[], protocol: Protocol, path: Path, places: Places): Problem[] {
  const refused = refusal(components, protocol);
  const missing = Object.entries(protocol.roles)
    .filter(([role, { required }]) => required && !components.some((component) => component.role === role))
    .map(([role, { holds }]) => problemAt([...path, 'components'], `no component is the ${role} (${holds})`, places));
  return refused === undefined
    ? missing
    : [
        problemAt(refused.path, `${refused.error.message}. ${refused.error.remedy}`, places, { atKey: true }),
        ...missing,
      ];
}

/** The first component that the order does not bear beside those before it. */
export function refusal(
  components: readonly ConfiguredComponent[],
  protocol: Protocol,
): { readonly path: Path; readonly error: LedgerholdError } | undefined {
  for (const [index, { path }] of components.entries()) {
    try {
      waves(components.slice(0, index + 1), protocol);
    } catch (error) {
      if (error instanceof LedgerholdError) return { path, error };
      throw error;
    }
  }
  return undefined;
}

const instanceOf = ({ rds, rdsCluster }: Pick<ComponentConfig, 'rds' | 'rdsCluster'>): SourceIdentity => ({
  kind: 'instance',
  instance: rds ?? rdsCluster ?? '',
});

/** Two components with the same words for their address have the same database, whatever the words stand for. */
function unresolved({ url, via = '' }: PostgresConfig): SourceIdentity {
  const words = typeof url === 'string' ? url : Object.entries(url).flat().join(' ');
  return { kind: 'database', server: via === '' ? 'its server' : `the server behind ${via}`, database: words };
}
