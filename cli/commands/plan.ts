import type { Command } from 'commander';
import type { NodeConfig } from '../../config/nodes.ts';
import type { Vault } from '../../core/vault.ts';
import { describeSource } from '../../io/postgres/connection.ts';
import { identitiesEndpoint } from '../../protocols/splice/identities.ts';
import { readSets, type StoredSet } from '../../vault/sets.ts';
import { type Loaded, loadConfig, nodesMeant } from '../context.ts';
import { type PreparedNode, prepareNode } from '../nodes.ts';
import { type NodePlan, planNouns, planText } from '../render/plan.ts';
import { retained } from '../retained.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { openVault } from '../vaults.ts';
import { warningsOf } from '../warnings.ts';

interface Options {
  readonly node?: string;
}

export function define(command: Command, act: Act): void {
  command.option('--node <name>', 'this node only').action(act<Options>(plan));
}

/** Reads the config, the secrets it names and the vault's list of sets. Calls no database and no node. */
export async function plan(shell: Shell, options: Options): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const vault = await openVault(loaded.config.vault, loaded.path);
  const nodes: NodePlan[] = [];
  for (const node of nodesMeant(loaded.config, options.node)) {
    nodes.push(await planOf(node, loaded, vault, shell.clock.now()));
  }
  return {
    exit: 0,
    code: 'PLANNED',
    nouns: planNouns(loaded, vault.url, nodes),
    text: planText(loaded, vault.url, nodes),
  };
}

async function planOf(node: NodeConfig, loaded: Loaded, vault: Vault, now: Date): Promise<NodePlan> {
  const prepared = await prepareNode(loaded, node);
  const sets: StoredSet[] = [];
  for await (const set of readSets(vault, node.name)) sets.push(set);
  return {
    prepared,
    everySeconds: prepared.node.every ?? prepared.protocol.everyHours * 3600,
    calls: callsOf(prepared),
    retained: retained(sets, loaded.config, now),
    warnings: await warningsOf(loaded, prepared),
  };
}

/** By component: what a run will ask, of whom. */
function callsOf({ node, databases }: PreparedNode): ReadonlyMap<string, string> {
  const calls = new Map<string, string>();
  for (const [component, source] of databases) calls.set(component, `pg_dump of ${describeSource(source)}`);
  if (node.protocol === 'splice') calls.set('identities', `GET ${identitiesEndpoint(node.identities)}`);
  return calls;
}
