import type { Command } from 'commander';
import { findSet, readReceipts } from '../../vault/sets.ts';
import { showNouns, showText } from '../render/show.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { signaturesExit, signaturesOf } from '../signatures.ts';
import { PUBLIC_KEY_OPTION, type TrustFlags } from '../trust.ts';
import { VAULT_OPTION, vaultMeant } from '../vaults.ts';

interface Options extends TrustFlags {
  readonly node?: string;
}

export function define(command: Command, act: Act): void {
  command
    .argument('<set>', 'node/number, a number, a slot, or latest')
    .option('--node <name>', 'where the vault holds several nodes')
    .option(...VAULT_OPTION)
    .option(...PUBLIC_KEY_OPTION)
    .action(act<Options>(show));
}

export async function show(shell: Shell, options: Options, [wanted = 'latest']: readonly string[]): Promise<Outcome> {
  const vault = await vaultMeant(shell, options);
  const set = await findSet(vault, wanted, options.node);
  const receipts = new Map<string, Awaited<ReturnType<typeof readReceipts>>>();
  for (const { component, start, end } of set.manifest.value.components) {
    receipts.set(component, await readReceipts(vault, { start: start.key, end: end.key }));
  }
  const signatures = await signaturesOf(shell, options, vault, [set]);
  const signature = signatures?.get(set.id);
  return {
    exit: signaturesExit(signatures),
    code: 'SET',
    nouns: showNouns(set, receipts, signature),
    text: showText(set, receipts, shell.clock.now(), signature),
  };
}
