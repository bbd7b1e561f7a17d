import type { Command } from 'commander';
import { isChainNode } from '../../config/order.ts';
import { fileNouns } from '../chain-backup.ts';
import { loadConfig, nodeNamed } from '../context.ts';
import { importHistory } from '../import-history.ts';
import { bytesText, table } from '../render/units.ts';
import type { Act, Outcome, Shell } from '../shell.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly node?: string;
  readonly files: string;
}

export function define(command: Command, act: Act): void {
  command
    .argument('<file>', 'the JSON with `history`, as the service that consortia come from hands it out')
    .requiredOption('--files <folder>', 'where the files lie that it names')
    .option('--node <name>', 'where the config has several')
    .action(act<Options>(importHistoryVerb));
}

async function importHistoryVerb(shell: Shell, options: Options, [file = '']: readonly string[]): Promise<Outcome> {
  const loaded = await loadConfig(shell);
  const node = nodeNamed(loaded.config, options.node);
  if (!isChainNode(node)) throw new UsageError(`${node.name} is no chain`, 'Name a node of protocol ethereum.');
  const { manifest, records, leftOut, vault } = await importHistory(shell, loaded, node, {
    ...{ history: file, folder: options.files },
  });
  const { value, sha256 } = manifest;
  for (const each of leftOut) shell.warn(`${each} is not of the chain, by the history itself: left out`);
  const bytes = records.reduce((sum, record) => sum + record.file.size, 0);
  return {
    exit: 0,
    code: 'IMPORTED',
    nouns: {
      ...{ node: value.node, seq: value.seq, manifest: sha256, vault: vault.url, head: value.head },
      ...{ files: records.map(fileNouns), leftOut },
    },
    text: [
      `Imported ${records.length} files as ${value.node}/${value.seq} into ${vault.url}`,
      ...table([
        ['  blocks', `0 to ${value.head?.number ?? 'none'}, each verified, ${bytesText(bytes)}`],
        ['  head', value.head?.hash ?? ''],
        ['  manifest', sha256],
      ]),
      'The next run of `ledgerhold backup` goes on from there.',
    ],
  };
}
