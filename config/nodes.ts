import * as z from 'zod';
import { BLOCKS_PER_FILE, FileCompression } from '../core/chain.ts';
import { ComponentName, NodeName } from '../core/names.ts';
import { RdsIdentifier } from '../core/snapshots.ts';
import { LONGEST_CHAIN_NAME, type PayloadNode } from './payloads.ts';
import { BytesPerSecond, exactlyOne, PostgresUrl, Seconds, Secret, ServiceUrl } from './values.ts';

const Postgres = z.strictObject({
  url: PostgresUrl.describe('postgres://user@host:port/database, or where to find it when it holds a password'),
  database: z
    .strictObject({ command: z.string().min(1).describe('Prints its name, such as docker exec NODE printenv NAME') })
    .optional()
    .describe('The database that the deployment really uses; it takes the place of the one in url'),
  sslRootCert: z.string().optional().describe('Root certificate; with it the server is verified in full'),
  via: z.string().min(1).optional().describe('Command that the tools run behind, such as docker exec -i NAME'),
  tools: z.string().optional().describe('Folder of pg_dump and psql; default: the newest that is found'),
});
export type PostgresConfig = z.infer<typeof Postgres>;

const source = {
  postgres: Postgres,
  rds: RdsIdentifier.describe('RDS instance, by its identifier'),
  rdsCluster: RdsIdentifier.describe('Aurora or Multi-AZ cluster, by its identifier'),
};

/** How a database in RDS is asked how far its ledger is, once it has been restored. */
const Positions = Postgres.pick({ url: true, sslRootCert: true });

/** One component's state and where it is; `role` says which part it plays if its name does not. */
const Component = z
  .strictObject({
    ...z.strictObject(source).partial().shape,
    role: z.string().min(1).optional(),
    positions: Positions.optional().describe(
      'Of RDS: user and database to ask after a restore; the host is the new one',
    ),
  })
  .refine((value) => Object.keys(source).filter((key) => key in value).length === 1, {
    error: `give exactly one of ${Object.keys(source).join(', ')}`,
    when: (payload) => typeof payload.value === 'object' && payload.value !== null,
  });
export type ComponentConfig = z.infer<typeof Component>;

const Components = z
  .record(ComponentName, Component)
  .refine((components) => Object.keys(components).length > 0, {
    error: 'name at least one component',
  })
  .refine((components) => Object.keys(components).length < 32, { error: 'name at most 31 components' });

const id = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), { error: `write an id such as ${prefix}-0a1b2c3d4e5f67890` });

const VpcPlace = z.strictObject({
  id: id('vpc').describe('The private network'),
  subnets: z.array(id('subnet')).min(1).max(16).describe('Ids of subnets in it that captures run in'),
  securityGroups: z.array(id('sg')).min(1).max(5).describe('Ids of the groups that decide what captures may call'),
});
/** Where in a private network a node is reached from. */
export type VpcPlace = z.infer<typeof VpcPlace>;

const common = {
  name: NodeName,
  enabled: z.boolean().default(true),
  every: Seconds.optional().describe('Time between two runs, such as 4 hours; default: what the ledger advises'),
  maxSpread: Seconds.default(6 * 3600).describe('From the first capture’s start to the last one’s; over it: stale'),
  vpc: VpcPlace.optional().describe('On AWS: the private network that this node is captured from'),
  rateLimit: BytesPerSecond.optional().describe('How fast a dump may read, such as 50 MB/s'),
};

const Identities = z.strictObject({
  url: ServiceUrl.describe('Base of the validator’s API, such as https://wallet.validator.example.com/api/validator'),
  auth: z.union([
    z.strictObject({
      tokenUrl: ServiceUrl,
      clientId: z.string().min(1),
      clientSecret: Secret,
      audience: z.string().min(1).optional(),
      scope: z.string().min(1).optional(),
    }),
    z.strictObject({ unsafe: z.strictObject({ user: z.string().min(1), audience: z.string().min(1) }) }),
  ]),
});
export type IdentitiesConfig = z.infer<typeof Identities>;

/** How the node is run, so that a restore can say how to stop and start it. */
const Deployment = exactlyOne({
  compose: z.strictObject({
    dir: z.string().describe('Folder with start.sh and stop.sh'),
    postgresService: z.string().default('postgres-splice'),
    start: z.string().default('./start.sh').describe('With the arguments that this node is started with'),
    stop: z.string().default('./stop.sh'),
  }),
  kubernetes: z.strictObject({
    namespace: z.string(),
    deployments: z.array(z.string()).min(1).describe('Scaled to 0 before a restore, to 1 after it'),
    context: z.string().optional(),
  }),
});
export type DeploymentConfig = z.infer<typeof Deployment>;

const participantId = z
  .string()
  .regex(/^PAR::.+::1220[0-9a-f]{64}$/, { error: 'write the full id, PAR::name::1220 and 64 hexadecimal digits' });

/** The pairs that Fargate knows are finer; it refuses others when the stack is deployed. */
const Fargate = z.strictObject({
  cpu: z.literal([256, 512, 1024, 2048, 4096, 8192, 16_384]).default(1024).describe('CPU units; 1024 are one'),
  memory: z.int().min(512).max(122_880).default(2048).describe('MiB'),
});

const tasks = {
  fargate: Fargate.optional().describe('Dump the databases in Fargate tasks of this size, in vpc'),
};
const PLACE_MISSING = { error: 'fargate needs vpc: where its tasks run', path: ['fargate'] };
const hasPlace = ({ fargate, vpc }: { readonly fargate?: unknown; readonly vpc?: unknown }): boolean =>
  fargate === undefined || vpc !== undefined;

const Splice = z
  .strictObject({
    ...common,
    protocol: z.literal('splice'),
    participant: participantId.optional().describe('Registered id; default: what the first good capture says'),
    identities: Identities,
    scan: ServiceUrl.optional(),
    components: Components,
    deployment: Deployment.optional(),
    ...tasks,
  })
  .refine(hasPlace, PLACE_MISSING);
export type SpliceNode = z.infer<typeof Splice>;

const Canton = z
  .strictObject({
    ...common,
    protocol: z.literal('canton'),
    components: Components,
    deployment: Deployment.optional(),
    ...tasks,
  })
  .refine(hasPlace, PLACE_MISSING);
export type CantonNode = z.infer<typeof Canton>;

const Rpc = z.union([ServiceUrl, Secret]);

/** What restores and drills import the chain with. */
const ChainRestoreConfig = z.strictObject({
  genesis: z.string().optional().describe('The genesis file that the network began with'),
  binary: z.string().optional().describe('The client’s program; default: geth or besu, on PATH'),
  args: z.array(z.string()).default([]).describe('What every command of it needs, such as --state.scheme=hash'),
});

/** What must be captured with a chain, since its blocks hold only hashes of it. */
const ChainComponents = z.strictObject({
  tessera: z.strictObject({ postgres: Postgres }).describe('Tessera’s database, which holds the private payloads'),
});

const Ethereum = z
  .strictObject({
    ...z.strictObject(common).omit({ every: true, maxSpread: true }).shape,
    enabled: z.boolean().default(false).describe('Whether its schedule runs; a new chain is switched on by hand'),
    protocol: z.literal('ethereum'),
    client: z.enum(['geth', 'quorum', 'besu']),
    monitor: z.strictObject({ rpc: Rpc }).describe('The node that blocks are read from'),
    validators: z
      .array(z.strictObject({ name: ComponentName, rpc: Rpc }))
      .min(1)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
        error: 'two validators have the same name',
      })
      .refine((all) => new Set(all.map(({ rpc }) => JSON.stringify(rpc))).size === all.length, {
        error: 'two validators have the same address: one node would speak for both',
      })
      .describe('Who must call a block as the monitor does before it is exported'),
    agreement: z
      .union([z.literal('all'), z.int().min(1)])
      .default('all')
      .describe('How many validators must agree'),
    confirmations: z
      .int()
      .min(0)
      .max(10_000)
      .default(0)
      .describe('Blocks below the monitor’s height that are left to the next run, where the newest may still change'),
    timesADay: z.int().min(1).max(4).default(4),
    blocksPerFile: z.int().min(1).max(BLOCKS_PER_FILE).default(BLOCKS_PER_FILE),
    compression: FileCompression.default('zstd').describe('geth imports none and gzip as they lie, Besu none'),
    components: ChainComponents.optional().describe('Captured after each run of the chain, into sets of their own'),
    restore: ChainRestoreConfig.optional().describe('What restores and drills import the chain with'),
  })
  .refine(({ client, components }) => components === undefined || client === 'quorum', {
    error: 'only a node of client quorum has a Tessera',
    path: ['components'],
  })
  .refine(({ name, components }) => components === undefined || name.length <= LONGEST_CHAIN_NAME, {
    error: `with components a name of at most ${LONGEST_CHAIN_NAME} characters: their sets are called NAME-tessera`,
    path: ['name'],
  })
  .refine(({ agreement, validators }) => agreement === 'all' || agreement <= validators.length, {
    error: 'more must agree than there are validators',
    path: ['agreement'],
  });
export type EthereumNode = z.infer<typeof Ethereum>;

export const Node = z.discriminatedUnion('protocol', [Splice, Canton, Ethereum]);
export type NodeConfig = z.infer<typeof Node>;

/** A node whose state lies in components that are captured in order. */
export type DatabaseNode = SpliceNode | CantonNode;

/** A node that sets are captured of: one that the config lists, or the payloads beside a chain. */
export type CapturedNode = DatabaseNode | PayloadNode;

/** Whatever a name may mean. */
export type AnyNode = NodeConfig | PayloadNode;
