import type { Command } from 'commander';
import type { Vault } from '../../core/vault.ts';
import { isReadable, listSets, nodesIn, type StoredSet, type UnreadableSet } from '../../vault/sets.ts';
import { exitCodeOf, worstOf } from '../exit-codes.ts';
import { setBrief, setsText, unreadableBrief } from '../render/sets.ts';
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
  const signatures = await signaturesOf(shell, options, vault, found.filter(isReadable));
  const faults = found.flatMap((set) => (isReadable(set) ? [] : [exitCodeOf(set.fault)]));
  const exit = worstOf([signaturesExit(signatures), ...faults]);
  const brief = (set: StoredSet | UnreadableSet) =>
    isReadable(set) ? setBrief(set, signatures?.get(set.id)) : unreadableBrief(set);
  return {
    exit,
    code: exit === 1 ? 'DAMAGED' : found.length === 0 ? 'NO_SETS' : 'SETS',
    nouns: { vault: vault.url, sets: found.map(brief) },
    text: setsText(found, vault.url, shell.clock.now(), signatures),
  };
}

async function setsIn(vault: Vault, nodes: readonly string[]): Promise<(StoredSet | UnreadableSet)[]> {
  const found: (StoredSet | UnreadableSet)[] = [];
  for (const node of nodes) for await (const set of listSets(vault, node)) found.push(set);
  return found;
}
