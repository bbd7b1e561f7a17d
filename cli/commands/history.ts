import { type Command, Option } from 'commander';
import { canonicalRecords, type History, readHistory } from '../../vault/history.ts';
import { nodesIn } from '../../vault/sets.ts';
import { fileNouns } from '../chain-backup.ts';
import { historyText } from '../render/history.ts';
import { kaleidoHistory } from '../render/kaleido.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { UsageError } from '../usage-error.ts';
import { VAULT_OPTION, type VaultFlag, vaultMeant } from '../vaults.ts';

interface Options extends VaultFlag {
  readonly node?: string;
  readonly format?: 'kaleido' | 'jsonl';
}

export function define(command: Command, act: Act): void {
  command
    .option('--node <name>', 'where the vault has several chains')
    .addOption(new Option('--format <format>', 'for programs, on stdout').choices(['kaleido', 'jsonl']))
    .option(...VAULT_OPTION)
    .action(act<Options>(history));
}

/** The files of a chain from genesis. What is printed is not proved here: `verify` does that. */
export async function history(shell: Shell, options: Options): Promise<Outcome> {
  const vault = await vaultMeant(shell, options);
  const node = chainNamed(options.node, await nodesIn(vault, 'chain'), vault.url);
  const found = await readHistory(vault, node);
  return {
    exit: 0,
    code: found.entries.length === 0 ? 'NO_HISTORY' : 'HISTORY',
    nouns: nounsOf(node, vault.url, found, options.format),
    text: textOf(node, vault.url, found, options.format),
  };
}

/** The one named, else the only one: a name that is mistyped must not look like a chain without files. */
function chainNamed(named: string | undefined, nodes: readonly string[], url: string): string {
  if (named !== undefined && nodes.includes(named)) return named;
  if (named !== undefined && nodes.length > 0) {
    throw new UsageError(`${url} holds no chain ${named}`, `It holds ${nodes.join(', ')}.`);
  }
  const [only, another] = nodes;
  if (only !== undefined && another === undefined) return only;
  if (only === undefined) {
    throw new UsageError(`${url} holds no chain`, 'Back one up first: `ledgerhold backup --node NAME`.');
  }
  throw new UsageError(`${url} holds ${nodes.length} chains`, `Name one with --node: ${nodes.join(', ')}.`);
}

function nounsOf(node: string, vault: string, found: History, format: Options['format']): Record<string, unknown> {
  if (format === 'kaleido') return { ...kaleidoHistory(found) };
  const files = found.entries.map(({ record, seq, canonical }) => ({
    ...{ seq, canonical, slot: record.value.slot, exportedAt: record.value.exportedAt },
    ...fileNouns(record.value),
  }));
  return { vault, node, head: found.head?.value.head ?? null, files };
}

function textOf(node: string, vault: string, found: History, format: Options['format']): string[] {
  if (format === 'kaleido') return JSON.stringify(kaleidoHistory(found), undefined, 2).split('\n');
  if (format === 'jsonl') return canonicalRecords(found).map((record) => JSON.stringify(record));
  return historyText(node, vault, found);
}
