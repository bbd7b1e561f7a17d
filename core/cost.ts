import type { AllowedMachine } from './allowed-asl.ts';
import type { Prices } from './prices.ts';
import { pauseSeconds } from './rds.ts';
import { runCalls, vaultRequests } from './run-calls.ts';

/** One node, as far as it costs. */
export interface NodeLoad {
  /** Does Step Functions run it? Else only its vault costs. */
  readonly onAws: boolean;
  readonly everySeconds: number;
  readonly waves: readonly number[];
  /** Pairs of components of which one is captured before the other. */
  readonly edges: number;
  /** Names of the secrets that the node needs: its identities' and its client's. */
  readonly secrets: number;
  /** Of one set, in the vault. */
  readonly storedBytes: number;
  /** Of the databases that are captured by snapshots. */
  readonly snapshotGibibytes: readonly number[];
  /** Sets that retention keeps. */
  readonly setsKept: number;
}

export interface Load {
  readonly nodes: readonly NodeLoad[];
  readonly s3: boolean;
  readonly secondRegion: boolean;
}

export interface CostLine {
  readonly what: string;
  /** How it comes about, for whoever doubts it. */
  readonly how: string;
  readonly dollars: number;
}

export interface Cost {
  readonly lines: readonly CostLine[];
  /** Step Functions and Lambda: what the runs themselves cost, apart from what they keep. */
  readonly orchestration: number;
  readonly total: number;
}

/** What is not known beforehand. Printed with every sum. */
export const ASSUMED = {
  /** Until a snapshot is available: it decides how often it is looked at. */
  snapshotSeconds: 600,
  /** Of a database's size, that a snapshot adds to the ones before it. */
  changedShare: 0.05,
  /** A call of a step, at 512 MiB. */
  lambdaSeconds: 1,
  /** Written to logs by a call and the execution's events. */
  logBytes: 4_000,
  /** Of the vault: for its bucket, what is sealed, what is signed; and for the secrets. */
  keys: 4,
  /** Alarms and metrics: of the network, and of each node. */
  alarms: { network: 8, node: 4 },
  metrics: { network: 4, node: 4 },
} as const;

const MONTH_SECONDS = 30 * 86_400;
const LAMBDA_GIBIBYTES = 0.5;
const GIGABYTE = 1e9;

/** One month of 30 days, from the definition that runs and the network's own shape. */
export function monthlyCost(definition: AllowedMachine, load: Load, prices: Prices): Cost {
  const onAws = load.nodes.filter((node) => node.onAws);
  const lines = [
    ...(onAws.length === 0 ? [] : running(definition, onAws, prices)),
    ...(load.s3 ? storing(load, prices) : []),
  ];
  const orchestration = sum(
    lines.filter(({ what }) => ORCHESTRATION.includes(what)),
    ({ dollars }) => dollars,
  );
  return { lines, orchestration, total: sum(lines, ({ dollars }) => dollars) };
}

const ORCHESTRATION: readonly string[] = ['Step Functions', 'Lambda'];

export const runsAMonth = ({ everySeconds }: NodeLoad): number => MONTH_SECONDS / everySeconds;

/** What runs, watches and keeps secrets. */
function running(definition: AllowedMachine, nodes: readonly NodeLoad[], prices: Prices): CostLine[] {
  const month = (of: (node: NodeLoad) => number) => sum(nodes, (node) => runsAMonth(node) * of(node));
  const callsOf = (node: NodeLoad) => runCalls(definition, shapeOf(node));
  const transitions = month((node) => callsOf(node).transitions);
  const calls = month((node) => sum([...callsOf(node).steps.values()], (count) => count));
  const seconds = calls * ASSUMED.lambdaSeconds * LAMBDA_GIBIBYTES;
  const secrets = sum(nodes, (node) => node.secrets);
  const alarms = ASSUMED.alarms.network + ASSUMED.alarms.node * nodes.length;
  const metrics = ASSUMED.metrics.network + ASSUMED.metrics.node * nodes.length;
  const runs = month(() => 1);
  return [
    line(
      'Step Functions',
      `${count(transitions)} transitions of ${count(runs)} runs`,
      (transitions / 1000) * prices.stepFunctionsPer1000Transitions,
    ),
    line(
      'Lambda',
      `${count(calls)} calls of ${ASSUMED.lambdaSeconds} s`,
      (calls / 1e6) * prices.lambdaPerMillionCalls + seconds * prices.lambdaPerGibibyteSecond,
    ),
    line(
      'KMS',
      `${ASSUMED.keys} keys; a signature and a data key a run`,
      ASSUMED.keys * prices.kmsPerKeyMonth + (runs / 1e4) * (prices.kmsPer10000Signatures + prices.kmsPer10000Calls),
    ),
    // Its client's secret is read; the own one is described, written and made current.
    line(
      'Secrets Manager',
      `${secrets} secrets; 4 calls a run of a node that has them`,
      secrets * prices.secretPerMonth +
        (month((node) => (node.secrets > 0 ? 4 : 0)) / 1e4) * prices.secretsPer10000Calls,
    ),
    line(
      'CloudWatch',
      `${alarms} alarms, ${metrics} metrics, a dashboard, logs of ${count(calls)} calls`,
      alarms * prices.alarmPerMonth +
        metrics * prices.metricPerMonth +
        prices.dashboardPerMonth +
        ((calls * ASSUMED.logBytes) / GIGABYTE) * prices.logsPerGigabyte,
    ),
    ...snapshots(nodes, prices),
  ];
}

/** Snapshots of one database share what has not changed: the first is whole, each further one is what has. */
function snapshots(nodes: readonly NodeLoad[], prices: Prices): CostLine[] {
  const gibibytes = sum(nodes, snapshotGibibytes);
  if (gibibytes === 0) return [];
  const how = `${count(gibibytes)} GiB: each database once, and ${ASSUMED.changedShare * 100} % of it for each further set kept`;
  return [line('RDS snapshots', how, gibibytes * prices.rdsSnapshotPerGibibyteMonth)];
}

const snapshotGibibytes = ({ snapshotGibibytes: databases, setsKept }: NodeLoad): number =>
  sum(databases, (size) => size) * (1 + ASSUMED.changedShare * Math.max(0, setsKept - 1));

function storing({ nodes, secondRegion }: Load, prices: Prices): CostLine[] {
  const requests = nodes.map((node) => ({ runs: runsAMonth(node), ...vaultRequests(shapeOf(node), node.edges) }));
  const [reads, writes] = [
    sum(requests, (each) => each.runs * each.reads),
    sum(requests, (each) => each.runs * each.writes),
  ];
  const kept = sum(nodes, ({ storedBytes, setsKept }) => storedBytes * setsKept) / GIGABYTE;
  const added = sum(nodes, (node) => runsAMonth(node) * node.storedBytes) / GIGABYTE;
  const stored = kept * prices.s3PerGigabyteMonth;
  const written = (writes / 1000) * prices.s3Per1000Writes;
  const copied = secondRegion ? added * prices.transferPerGigabyteToAnotherRegion : 0;
  return [
    line('S3 storage', `${kept.toFixed(1)} GB: what is kept of the sets`, stored),
    line(
      'S3 requests',
      `${count(writes)} writes and lists, ${count(reads)} reads`,
      written + (reads / 1000) * prices.s3Per1000Reads,
    ),
    ...(secondRegion
      ? [
          line(
            'Second vault',
            `${kept.toFixed(1)} GB again, its requests, ${added.toFixed(1)} GB sent to it`,
            stored + written + copied,
          ),
        ]
      : []),
  ];
}

/** Every capture of a node is taken to be looked at as often as a snapshot: of identities a little too often. */
function shapeOf({ waves, snapshotGibibytes: databases }: NodeLoad) {
  return { waves, polls: databases.length === 0 ? 1 : looksAt(ASSUMED.snapshotSeconds) };
}

/** Looks at a capture of so many seconds, with the pauses that a run makes. */
export function looksAt(seconds: number): number {
  let looks = 1;
  for (let elapsed = 0; elapsed < seconds; looks++) elapsed += pauseSeconds(elapsed);
  return looks;
}

const line = (what: string, how: string, dollars: number): CostLine => ({ what, how, dollars });
const count = (value: number): string => Math.round(value).toLocaleString('en-US');
const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
