import { identitiesFromAws } from '../config/from-aws.ts';
import type { ComponentConfig, DatabaseNode, SpliceNode } from '../config/nodes.ts';
import { isDatabaseNode } from '../config/order.ts';
import type { Config } from '../config/schema.ts';
import type { CaptureSource, CaptureSources } from '../lambdas/start-capture/sources.ts';

/** What of a config the deployed steps need to capture its nodes: by node and component, and never a secret. */
export function captureSources({ nodes }: Config): CaptureSources {
  return Object.fromEntries(nodes.filter(isDatabaseNode).map((node) => [node.name, sourcesOf(node)]));
}

function sourcesOf(node: DatabaseNode): CaptureSources[string] {
  const databases = Object.entries(node.components).map(([name, component]) => [name, database(component)]);
  return Object.fromEntries(node.protocol === 'splice' ? [['identities', identities(node)], ...databases] : databases);
}

function database({ postgres, rds, rdsCluster }: ComponentConfig): CaptureSource {
  if (rds !== undefined) return { rds: { instance: rds } };
  if (rdsCluster !== undefined) return { rds: { cluster: rdsCluster } };
  if (postgres === undefined) throw new TypeError('a component without a source is no config');
  return elsewhere(
    'postgres',
    typeof postgres.url === 'string' ? withoutUser(postgres.url) : 'an address that is a secret',
  );
}

function identities(node: SpliceNode): CaptureSource {
  const source = identitiesFromAws(node);
  return source === undefined ? elsewhere('identities', node.identities.url) : { identities: source };
}

const elsewhere = (kind: string, at: string): CaptureSource => ({ elsewhere: { kind, at } });

function withoutUser(url: string): string {
  const bare = new URL(url);
  bare.username = '';
  return bare.href;
}
