import type { CaptureSource, CaptureSources } from '../core/capture-sources.ts';
import { identitiesFromAws } from './from-aws.ts';
import type { ComponentConfig, DatabaseNode, PostgresConfig, SpliceNode } from './nodes.ts';
import { isDatabaseNode } from './order.ts';
import type { Config } from './schema.ts';

/** How large a node's tasks are, and where they run. */
export interface FargateNode {
  /** CPU units, 1024 to one CPU, and MiB: a pair that Fargate knows. */
  readonly cpu: number;
  readonly memory: number;
  /** Ids. */
  readonly vpc: {
    readonly id: string;
    readonly subnets: readonly string[];
    readonly securityGroups: readonly string[];
  };
}

/** What of a config the deployed steps need to capture its nodes: by node and component, and never a secret. */
export function captureSources({ nodes }: Config): CaptureSources {
  return Object.fromEntries(nodes.filter(isDatabaseNode).map((node) => [node.name, sourcesOf(node)]));
}

/** The nodes whose databases are dumped in tasks, and where these run. */
export function fargateNodes({ nodes }: Config): Readonly<Record<string, FargateNode>> {
  return Object.fromEntries(
    nodes
      .filter(isDatabaseNode)
      .flatMap(({ name, fargate, vpc }) =>
        fargate === undefined || vpc === undefined ? [] : [[name, { ...fargate, vpc }]],
      ),
  );
}

function sourcesOf(node: DatabaseNode): CaptureSources[string] {
  const databases = Object.entries(node.components).map(([name, component]) => [name, database(component, node)]);
  return Object.fromEntries(node.protocol === 'splice' ? [['identities', identities(node)], ...databases] : databases);
}

function database({ postgres, rds, rdsCluster }: ComponentConfig, node: DatabaseNode): CaptureSource {
  if (rds !== undefined) return { rds: { instance: rds } };
  if (rdsCluster !== undefined) return { rds: { cluster: rdsCluster } };
  if (postgres === undefined) throw new TypeError('a component without a source is no config');
  const at = typeof postgres.url === 'string' ? withoutUser(postgres.url) : 'an address that is a secret';
  const address = node.fargate === undefined ? undefined : addressInTask(postgres);
  if (address === undefined) return elsewhere('postgres', at);
  const participant = node.protocol === 'splice' ? node.participant : undefined;
  const bytesPerSecond = node.rateLimit;
  return {
    dump: {
      at,
      database: { ...address, ...(participant && { participant }), ...(bytesPerSecond && { bytesPerSecond }) },
    },
  };
}

/** A task has neither this machine's files, programs nor environment: only an address, or a secret of AWS that is one. */
function addressInTask({ url, database, sslRootCert, via, tools }: PostgresConfig) {
  if ([database, sslRootCert, via, tools].some((each) => each !== undefined)) return undefined;
  if (typeof url === 'string') return { url };
  const arn = url.secretsManager;
  return arn?.startsWith('arn:') === true ? { urlSecretArn: arn } : undefined;
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
