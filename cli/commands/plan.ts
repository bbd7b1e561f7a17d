import type { Command } from 'commander';
import { everySecondsOf } from '../../config/every.ts';
import type { AnyNode, EthereumNode } from '../../config/nodes.ts';
import { isChainNode } from '../../config/order.ts';
import { SnapshotsUnavailable } from '../../core/snapshot-janitor.ts';
import type { Vault } from '../../core/vault.ts';
import { identitiesEndpoint } from '../../protocols/splice/identities.ts';
import { planRetention, type RetentionPlan, RetentionRefused } from '../../vault/retain.ts';
import { headSeq } from '../../vault/sets.ts';
import { chainStandingOf } from '../chain-standing.ts';
import { type Loaded, loadConfig, nodesMeant, openSigner } from '../context.ts';
import { costOf } from '../cost.ts';
import { type Dumper, PG_DUMP } from '../database-capture.ts';
import { type PreparedNode, prepareNode } from '../nodes.ts';
import { maxGapHours, ownSnapshots } from '../own-snapshots.ts';
import { type ChainPlan, chainPlanNouns, chainPlanText } from '../render/chain-plan.ts';
import { costNouns, costText } from '../render/cost.ts';
import { type NodePlan, planNouns, planText } from '../render/plan.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { snapshotCall, snapshotSources } from '../snapshot-sources.ts';
import { openVault } from '../vaults.ts';
import { warningsOf } from '../warnings.ts';

interface Options {
  readonly node?: string;
  readonly prices?: string;
}

export function define(command: Command, act: Act): void {
  command
    .option('--node <name>', 'this node only')
    .option('--prices <file>', 'JSON of US dollars that take the place of single prices of the built-in table')
    .action(act<Options>((shell, options) => plan(shell, options)));
}

/**
 * Reads the config, the secrets it names, the vault's list of sets, and of a node with databases in RDS the list of
 * snapshots. Calls no database and no node.
 * `dumper`: what the demo does in another way.
 */
export async function plan(
  shell: Shell,
  options: Options,
  { dumper = PG_DUMP }: { readonly dumper?: Dumper } = {},
): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const vault = await openVault(loaded.config.vault, loaded.path);
  const nodes: NodePlan[] = [];
  const meant = nodesMeant(loaded.config, options.node);
  const chains: ChainPlan[] = [];
  for (const node of meant.filter(isChainNode)) chains.push(await chainPlanOf(node, vault, shell.clock.now()));
  for (const node of meant.filter((each) => !isChainNode(each))) {
    nodes.push(await planOf(node, loaded, vault, dumper, shell.clock.now()));
  }
  const cost = await costOf(shell, loaded, nodes, vault, options.prices);
  return {
    exit: 0,
    code: 'PLANNED',
    nouns: { ...planNouns(loaded, vault.url, nodes), chains: chains.map(chainPlanNouns), cost: costNouns(cost) },
    text: planText(loaded, vault.url, nodes, [...chains.flatMap(chainPlanText), ...costText(cost)]),
  };
}

async function chainPlanOf(node: EthereumNode, vault: Vault, now: Date): Promise<ChainPlan> {
  const { last } = await chainStandingOf(vault, node.name, now);
  return { node, everySeconds: everySecondsOf(node), next: (last?.value.head?.number ?? -1) + 1 };
}

async function planOf(node: AnyNode, loaded: Loaded, vault: Vault, dumper: Dumper, now: Date): Promise<NodePlan> {
  const prepared = await prepareNode(loaded, node);
  const retained = await retainedOf(node.name, loaded, vault, now);
  return {
    prepared,
    everySeconds: everySecondsOf(prepared.node),
    calls: callsOf(prepared, dumper),
    ...('refused' in retained ? {} : { retained: retained.sets }),
    warnings: [...(await warningsOf(loaded, prepared)), ...('refused' in retained ? [retained.refused] : [])],
  };
}

/** What retention would do after the next run, by the very rule that does it; or why it would refuse. */
async function retainedOf(
  node: string,
  loaded: Loaded,
  vault: Vault,
  now: Date,
): Promise<Pick<RetentionPlan, 'sets'> | { readonly refused: string }> {
  if ((await headSeq(vault, node)) === 0) return { sets: [] };
  const { timeZone, retention: keep = {} } = loaded.config;
  const publicKeys = [await (await openSigner(loaded)).publicKeyPem()];
  try {
    const snapshots = await ownSnapshots(loaded.config, node);
    return await planRetention({
      vault,
      node,
      keep,
      timeZone,
      publicKeys,
      now,
      maxGapHours,
      ...(snapshots && { snapshots }),
    });
  } catch (error) {
    if (error instanceof RetentionRefused || error instanceof SnapshotsUnavailable) return { refused: error.message };
    throw error;
  }
}

/** By component: what a run will ask, of whom. */
function callsOf({ node, databases }: PreparedNode, dumper: Dumper): ReadonlyMap<string, string> {
  const calls = new Map<string, string>();
  for (const [component, source] of databases) calls.set(component, dumper.does(source));
  for (const source of snapshotSources(node)) calls.set(source.component, snapshotCall(source));
  if (node.protocol === 'splice') calls.set('identities', `GET ${identitiesEndpoint(node.identities)}`);
  return calls;
}
