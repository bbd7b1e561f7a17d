import type { EthereumNode } from '../config/nodes.ts';
import type { BlockRange, ChainManifest, ChainRecord } from '../core/chain.ts';
import type { ChainNews } from '../local/chain-runtime.ts';
import { canonicalRecords, type History, readHistory } from '../vault/history.ts';
import type { Loaded } from './context.ts';
import { bytesText, table } from './render/units.ts';
import type { BackupRequest } from './run-backup.ts';
import { type ChainResult, type ChainWorld, runChain } from './run-chain.ts';
import type { Outcome, Shell } from './shell.ts';

/** One run over a chain, told as it goes. */
export async function chainBackup(
  shell: Shell,
  loaded: Loaded,
  node: EthereumNode,
  request: BackupRequest,
): Promise<Outcome> {
  const { clock, signal, warn } = shell;
  const result = await runChain(loaded, node, request, {
    clock,
    signal,
    warn,
    ...chainProgress(shell),
  });
  const history = await readHistory(result.vault, node.name);
  const code = result.outcome === 'already-sealed' ? 'ALREADY_SEALED' : 'SEALED';
  return { exit: 0, code, nouns: nounsOf(result, history), text: textOf(result, history) };
}

/** What a run tells as it goes. */
export const chainProgress = (to: Pick<Shell, 'note'>): Pick<ChainWorld, 'onNews' | 'onBlocks'> => ({
  ...{ onNews: teller(to), onBlocks: counter(to) },
});

/** Each step of the run as a line. */
const teller =
  ({ note }: Pick<Shell, 'note'>) =>
  (news: ChainNews): void => {
    if (news.kind === 'agreed') {
      const left = news.orphaned === 0 ? '' : `; the chain has left ${news.orphaned} files of the history`;
      return note(`agreed on block ${news.end}; the first to export is ${news.start}${left}`);
    }
    const how = news.adopted ? 'verified again and taken over' : 'verified and stored';
    note(`${news.file}: ${news.blocks} blocks ${how}, ${bytesText(news.size)}`);
  };

/** Seldom enough to be read, often enough to show that it gets on. */
const TELL_EVERY_MS = 5_000;

function counter({ note }: Pick<Shell, 'note'>): (range: BlockRange, count: number) => void {
  let told = performance.now();
  return ({ start, end }, count) => {
    if (performance.now() - told < TELL_EVERY_MS) return;
    told = performance.now();
    note(`blocks ${start} to ${end}: ${count} of ${end - start + 1} read`);
  };
}

function recordsOf({ records }: ChainManifest, { entries }: History): ChainRecord[] {
  const digests = new Set<string>(records.map(({ sha256 }) => sha256));
  return entries.flatMap(({ record }) => (digests.has(record.sha256) ? [record.value] : []));
}

export const fileNouns = ({ file, start, end, transactions }: ChainRecord): object => ({
  ...{ ...file, start, end, blocks: end.number - start.number + 1, transactions },
});

function nounsOf(
  { outcome, manifest: { value, sha256 }, vault }: ChainResult,
  history: History,
): Record<string, unknown> {
  const { node, seq, slot, fence, reason, sealedAt, head, orphaned } = value;
  return {
    ...{ outcome, node, seq, slot, fence, reason, sealedAt, manifest: sha256, vault: vault.url, head },
    files: recordsOf(value, history).map(fileNouns),
    orphaned: orphaned.map(({ key }) => key),
    ...{ historyFiles: canonicalRecords(history).length },
  };
}

function textOf({ outcome, manifest: { value, sha256 }, vault }: ChainResult, history: History): string[] {
  const { node, seq, slot, head, orphaned } = value;
  const done = outcome === 'sealed' ? 'Sealed' : 'Nothing to do: this slot is sealed as';
  const files = recordsOf(value, history);
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const [agreed] = files.flatMap(({ evidence }) => [evidence]);
  return [
    `${done} ${node}/${seq}, slot ${slot}, in ${vault.url}`,
    ...table([
      [
        '  exported',
        files.length === 0 ? 'nothing: the chain has not grown' : `${files.length} files, ${bytesText(bytes)}`,
      ],
      ...(agreed === undefined
        ? []
        : [
            [
              '  agreed by',
              agreed.answers
                .filter(({ outcome: said }) => said === 'agrees')
                .map(({ validator }) => validator)
                .join(', '),
            ],
          ]),
      ...(orphaned.length === 0 ? [] : [['  left', `${orphaned.length} files are no longer of the chain; they stay`]]),
      ['  history', `${canonicalRecords(history).length} files, blocks 0 to ${head?.number ?? 'none'}`],
      ...(head === null ? [] : [['  head', head.hash]]),
      ['  manifest', sha256],
    ]),
  ];
}
