import type { Command } from 'commander';
import type { Vault } from '../../core/vault.ts';
import { nodesIn, readSets, type StoredSet } from '../../vault/sets.ts';
import { setBrief, setsText } from '../render/sets.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { signaturesExit, signaturesOf } from '../signatures.ts';
import { PUBLIC_KEY_OPTION, type TrustFlags } from '../trust.ts';
import { VAULT_OPTION, vaultMeant } from '../vaults.ts';

interface Options extends TrustFlags {
  readonly node?: string;
}

export function define(command: Command, act: Act): void {
  command
    .option('--node <name>', 'of this node only')
    .option(...VAULT_OPTION)
    .option(...PUBLIC_KEY_OPTION)
    .action(act<Options>(sets));
}

export async function sets(shell: Shell, options: Options): Promise<Outcome> {
  const vault = await vaultMeant(shell, options);
  const found = await setsIn(vault, options.node === undefined ? await nodesIn(vault) : [options.node]);
  const signatures = await signaturesOf(shell, options, vault, found);
  return {
    exit: signaturesExit(signatures),
    code: found.length === 0 ? 'NO_SETS' : 'SETS',
    nouns: { vault: vault.url, sets: found.map((set) => setBrief(set, signatures?.get(set.id))) },
    text: setsText(found, vault.url, shell.clock.now(), signatures),
  };
}

async function setsIn(vault: Vault, nodes: readonly string[]): Promise<StoredSet[]> {
  const found: StoredSet[] = [];
  for (const node of nodes) for await (const set of readSets(vault, node)) found.push(set);
  return found;
}
