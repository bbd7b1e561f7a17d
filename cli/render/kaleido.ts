import type { ChainRecord } from '../../core/chain.ts';
import type { History, HistoryEntry } from '../../vault/history.ts';

/** The JSON that the service which consortia come from hands out with its files, field by field. */
export interface KaleidoHistory {
  readonly latest_backup: string | null;
  readonly provider: string;
  readonly history: readonly KaleidoEntry[];
}

export interface KaleidoEntry {
  readonly file: string;
  readonly date: string;
  readonly canonical_chain: boolean;
  /** What it says there is published nowhere; here no file is one. */
  readonly raftSwapFile: boolean;
  readonly start_block: KaleidoBlock;
  readonly end_block: KaleidoBlock;
}

export interface KaleidoBlock {
  readonly block: number;
  readonly hash: string;
  readonly parent_hash: string;
}

export function kaleidoHistory({ entries, head }: History): KaleidoHistory {
  const [newest] = entries.toReversed();
  return {
    latest_backup: head?.value.sealedAt ?? null,
    provider: newest?.record.value.client ?? 'unknown',
    history: entries.map(entryOf),
  };
}

function entryOf({ record: { value }, canonical }: HistoryEntry): KaleidoEntry {
  return {
    ...{ file: value.file.name, date: value.exportedAt, canonical_chain: canonical, raftSwapFile: false },
    start_block: { block: value.start.number, hash: value.start.hash, parent_hash: value.start.parentHash },
    end_block: { block: value.end.number, hash: value.end.hash, parent_hash: endParent(value) },
  };
}

const endParent = ({ end }: ChainRecord): string => end.parentHash;
