import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { runsOnAws } from '../config/from-aws.ts';
import type { Config } from '../config/schema.ts';
import { allowed } from '../core/allowed-asl.ts';
import { ASSUMED, type Cost, monthlyCost, type NodeLoad } from '../core/cost.ts';
import { ASSUMED_OF_MEMBERS } from '../core/member-calls.ts';
import type { MemberCost } from '../core/member-cost.ts';
import { Prices, pricesFor } from '../core/prices.ts';
import type { Finding } from '../core/proof.ts';
import { SnapshotReference } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { readDocument } from '../vault/documents.ts';
import { manifestKey } from '../vault/layout.ts';
import { orFinding } from '../vault/prove-chain.ts';
import { headSeq, readManifest, type StoredManifest } from '../vault/sets.ts';
import type { Loaded } from './context.ts';
import { memberCosts } from './member-cost.ts';
import type { PreparedNode } from './nodes.ts';
import { workflowDefinition } from './run-backup.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** What a month costs on AWS, and what had to be assumed. */
export interface MonthlyCost extends Cost {
  /** Region, date and origin of the prices. */
  readonly prices: string;
  readonly assumptions: readonly string[];
  /** Of each member with a bucket on AWS; beside the sum, which is of the network's own backups. */
  readonly members: readonly MemberCost[];
}

export interface CostedNode {
  readonly prepared: PreparedNode;
  readonly everySeconds: number;
}

/** What is taken for a database of which no set tells the size. */
const UNKNOWN_DATABASE_GB = 20;
const GIGABYTE = 1e9;
/** A dump is a tenth of its database or less, compressed; with its receipts. */
const DUMPED_SHARE = 0.1;

/** Undefined where nothing of the network is on AWS. Reads the newest sets; rejects with `UsageError` for bad prices. */
export async function costOf(
  shell: Shell,
  { config }: Loaded,
  nodes: readonly CostedNode[],
  vault: Vault,
  file: string | undefined,
): Promise<MonthlyCost | undefined> {
  const overrides = file === undefined ? {} : await pricesIn(resolve(shell.cwd, file));
  const s3 = config.vault.s3;
  if (config.aws === undefined && s3 === undefined) return undefined;
  const region = config.aws?.region ?? s3?.region ?? '';
  const { prices, source } = pricesFor(region, overrides);
  const assumptions = new Set<string>();
  const loads: NodeLoad[] = [];
  for (const node of nodes) loads.push(await loadOf(node, config, vault, (text) => assumptions.add(text)));
  if (loads.some(({ onAws }) => onAws)) for (const text of always()) assumptions.add(text);
  const secondRegion = config.secondVault?.s3 !== undefined;
  const load = { nodes: loads, s3: s3 !== undefined, secondRegion };
  const cost = monthlyCost(allowed(await workflowDefinition('backup')), load, prices);
  const members = await memberCosts({ config, region }, vault, overrides);
  if (members.length > 0) for (const text of ofMembers()) assumptions.add(text);
  return { ...cost, prices: source, assumptions: [...assumptions], members };
}

async function loadOf(
  { prepared, everySeconds }: CostedNode,
  config: Config,
  vault: Vault,
  assume: (text: string) => void,
): Promise<NodeLoad> {
  const { node, plan } = prepared;
  const newest = await newestSet(vault, node.name);
  const onAws = runsOnAws(config, node);
  const databases = Object.values(node.components);
  const snapshots = databases.filter(({ postgres }) => postgres === undefined).length;
  const dumped = databases.length - snapshots;
  const sizes = newest === undefined ? [] : await snapshotSizes(vault, newest);
  if (newest === undefined || sizes.length < snapshots) {
    assume(`${UNKNOWN_DATABASE_GB} GB for each database of ${node.name}: no set tells its size yet`);
  }
  return {
    ...{ onAws, everySeconds, waves: plan.waves.map((wave) => wave.length) },
    edges: Object.values(plan.predecessors).reduce((sum, before) => sum + before.length, 0),
    // The client's own, and the copy of the identities.
    secrets: onAws && node.protocol === 'splice' ? 2 : 0,
    storedBytes: newest === undefined ? dumped * UNKNOWN_DATABASE_GB * GIGABYTE * DUMPED_SHARE : storedIn(newest),
    snapshotGibibytes: Array.from({ length: snapshots }, (_, index) => sizes[index] ?? UNKNOWN_DATABASE_GB),
    setsKept: setsKept(config, everySeconds, assume),
  };
}

const newestSet = async (vault: Vault, node: string): Promise<StoredManifest | undefined> => {
  const seq = await headSeq(vault, node);
  // What is damaged tells no size; `status` and `verify` tell the damage.
  const damaged: Finding[] = [];
  return seq === 0 ? undefined : orFinding(damaged, manifestKey(node, seq), () => readManifest(vault, node, seq));
};

const storedIn = ({ value }: StoredManifest): number =>
  value.components.flatMap(({ artifacts }) => artifacts).reduce((sum, { size }) => sum + size, 0);

/** In GiB, of the snapshots that a set refers to. */
async function snapshotSizes(vault: Vault, { value }: StoredManifest): Promise<number[]> {
  const sizes: number[] = [];
  for (const { key } of value.components.flatMap(({ artifacts }) => artifacts)) {
    if (!key.endsWith('.snapshot.json')) continue;
    const damaged: Finding[] = [];
    const reference = await orFinding(damaged, key, () => readDocument(vault, key, SnapshotReference));
    if (reference !== undefined) sizes.push(reference.value.allocatedGibibytes);
  }
  return sizes;
}

/** At most: a set that is kept for two reasons is one. */
function setsKept({ retention }: Config, everySeconds: number, assume: (text: string) => void): number {
  const { keepLast = 0, daily = 0, weekly = 0 } = retention ?? {};
  if (retention !== undefined) return keepLast + daily + weekly;
  assume('sets of one month are kept: without `retention` nothing is removed, and each month adds as many');
  return (30 * 86_400) / everySeconds;
}

const always = (): string[] => [
  `${ASSUMED.snapshotSeconds / 60} minutes until a snapshot is available, ${ASSUMED.changedShare * 100} % of a database changed between two`,
  `${ASSUMED.lambdaSeconds} s for a call of a step; ${ASSUMED.alarms.network} alarms and ${ASSUMED.alarms.node} for each node`,
  'free tiers, tax, and what watches, expires and copies beside the runs are not in it',
];

const ofMembers = (): string[] => [
  `${ASSUMED_OF_MEMBERS.objectsPerSecond} objects a second delivered to a member, which pays for its own bucket; each run of a chain is as large as its newest`,
];

async function pricesIn(file: string): Promise<Partial<Prices>> {
  const remedy = `Give a JSON object with any of ${Object.keys(Prices.shape).join(', ')}, in US dollars.`;
  try {
    return Prices.partial().parse(JSON.parse(await readFile(file, 'utf8'))) as Partial<Prices>;
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new UsageError(`the prices in ${file} cannot be used: ${why}`, remedy);
  }
}
