import * as z from 'zod';
import { LedgerholdError } from './errors.ts';
import { Reason } from './manifest.ts';
import { Fence, Instant, NetworkName, NodeName, Seq, Sha256, Slot } from './names.ts';

export const BlockNumber = z.int().min(0);
export const BlockHash = z.string().regex(/^0x[0-9a-f]{64}$/);

export const BlockRef = z.strictObject({ number: BlockNumber, hash: BlockHash });
export type BlockRef = z.infer<typeof BlockRef>;

/** What one validator said of one block, and what that means for the agreement. */
export const Answer = z.strictObject({
  validator: z.string(),
  at: Instant,
  number: BlockNumber,
  /** Null: it has no such block, or gave no answer. */
  hash: BlockHash.nullable(),
  outcome: z.enum(['agrees', 'differs', 'behind', 'silent', 'another chain']),
  /** Why it gave no answer. */
  detail: z.string().optional(),
});
export type Answer = z.infer<typeof Answer>;

/** Who agreed on what, when: kept for whoever asks years later why this block was taken for the chain's. */
export const Evidence = z.strictObject({
  end: BlockRef,
  /** How many had to say the same as the monitor. */
  rule: z.union([z.literal('all'), z.int().min(1)]),
  monitor: z.string(),
  /** Every answer about `end`, and the last one of each validator that does not agree there. */
  answers: z.array(Answer).min(1),
  /** Calls to everybody that it took. */
  rounds: z.int().min(1),
});
export type Evidence = z.infer<typeof Evidence>;

/** What one attempt at a slot goes by: written before the first block is read. */
export const ChainAgreement = z.strictObject({
  format: z.literal('ledgerhold/chain-agreement/1'),
  ...{ network: NetworkName, node: NodeName, slot: Slot, fence: Fence },
  /** Number of the history's newest manifest at the time (0: none): what this attempt seals comes right behind it. */
  after: z.int().min(0),
  /** The end of the last record that is still of the chain; null before the first. */
  base: BlockRef.nullable(),
  /** Records behind `base` whose blocks the chain has left. */
  orphaned: z.array(z.strictObject({ key: z.string(), sha256: Sha256, now: BlockHash })),
  evidence: Evidence,
});
export type ChainAgreement = z.infer<typeof ChainAgreement>;

/** How a chain file lies: what `geth import` reads is `none` or `gzip`. */
export const FileCompression = z.enum(['none', 'gzip', 'zstd']);
export type FileCompression = z.infer<typeof FileCompression>;

/** One chain file: which blocks it holds, its bytes, and who agreed. Cited by a manifest, and so under its signature. */
export const ChainRecord = z.strictObject({
  format: z.literal('ledgerhold/chain-record/1'),
  ...{ network: NetworkName, node: NodeName, slot: Slot },
  /** `name` is the object's name under `chain/<node>/`; digest and size are of what lies there, `blockBytes` of the blocks in it. */
  file: z.strictObject({
    name: z.string(),
    size: z.int().min(1),
    sha256: Sha256,
    compression: FileCompression,
    blockBytes: z.int().min(1),
  }),
  /** Both ends are in the file. */
  start: BlockRef.extend({ parentHash: BlockHash }),
  end: BlockRef.extend({ parentHash: BlockHash }),
  transactions: z.int().min(0),
  /** How many blocks were hashed by which rule. */
  rules: z.record(z.string(), z.int()),
  client: z.string(),
  exportedAt: Instant,
  evidence: Evidence,
});
export type ChainRecord = z.infer<typeof ChainRecord>;

/** The end of a record as others refer to it; null where there is no record. */
export const endOf = (record: ChainRecord | undefined): BlockRef | null =>
  record === undefined ? null : { number: record.end.number, hash: record.end.hash };

const Cited = z.strictObject({ key: z.string(), sha256: Sha256 });

/** The commit mark of a run over a chain: what it adds to the history, and what it takes out of it. */
export const ChainManifest = z.strictObject({
  format: z.literal('ledgerhold/chain-manifest/1'),
  ...{ network: NetworkName, node: NodeName, protocol: z.string() },
  seq: Seq,
  /** SHA-256 of the bytes of manifest `seq - 1`; null for the first. */
  previous: Sha256.nullable(),
  ...{ slot: Slot, fence: Fence, reason: Reason, sealedAt: Instant },
  agreement: Cited,
  /** In the order of their blocks; none where the chain had not grown. */
  records: z.array(Cited),
  /** No longer of the chain: they and their files stay. */
  orphaned: z.array(Cited),
  /** The last block of the history with this manifest; null while there is none. */
  head: BlockRef.nullable(),
  signer: Sha256,
});
export type ChainManifest = z.infer<typeof ChainManifest>;

/** The input of the chain workflow. */
export const ChainRun = z.strictObject({
  ...{ network: NetworkName, node: NodeName, protocol: z.string(), slot: Slot, reason: Reason },
});
export type ChainRun = z.infer<typeof ChainRun>;

/** As a schedule or a person asks for it: its slot may be a time in any form of ISO 8601, and may be wrong. */
export const AskedChainRun = ChainRun.extend({ slot: z.string().min(1).max(100) });
export type AskedChainRun = z.infer<typeof AskedChainRun>;

/** Blocks of one file, both ends included. */
export const BlockRange = z.strictObject({ start: BlockNumber, end: BlockNumber });
export type BlockRange = z.infer<typeof BlockRange>;

/** Blocks in a file where the config says nothing: what the service that consortia come from writes. */
export const BLOCKS_PER_FILE = 100_001;

/** Files that one run exports at most, so that its state and its history stay small; the next run goes on. */
export const FILES_PER_RUN = 100;

/** The ranges from `start` to `end`, each of at most `most` blocks. */
export function ranges(start: number, end: number, most: number): BlockRange[] {
  const count = Math.max(0, Math.ceil((end - start + 1) / most));
  return Array.from({ length: count }, (_, n) => ({
    start: start + n * most,
    end: Math.min(end, start + (n + 1) * most - 1),
  }));
}

const ENDINGS: Readonly<Record<FileCompression, string>> = { none: '', gzip: '.gz', zstd: '.zst' };

/** `<slot>-block-<start>-<end>.rlp`, and how it is compressed; the second file of a name is told by its number. */
export const chainFileName = (
  slot: string,
  { start, end }: BlockRange,
  compression: FileCompression,
  nth = 1,
): string => `${slot}-block-${start}-${end}${nth === 1 ? '' : `-${nth}`}.rlp${ENDINGS[compression]}`;

/** The monitor has fewer blocks than the history already holds: what it answers is older than what was agreed. */
export class NodeBehind extends LedgerholdError {
  override readonly name = 'NodeBehind';
  readonly kind = 'external';
}

/** The chain is no longer what it was when the run agreed on its end. */
export class ReorganisedMeanwhile extends LedgerholdError {
  override readonly name = 'ReorganisedMeanwhile';
  readonly kind = 'external';
}

/** Another slot was sealed while this one was at work: what it exported may be in the history already. */
export class HistoryMoved extends LedgerholdError {
  override readonly name = 'HistoryMoved';
  readonly kind = 'external';
}

/** What is in the history does not fit together: a record is missing, was changed, or does not follow the one before. */
export class HistoryDamaged extends LedgerholdError {
  override readonly name = 'HistoryDamaged';
  readonly kind = 'violation';
}

/** The validators do not agree on any block that is far enough. */
export class ConsensusStalled extends LedgerholdError {
  override readonly name = 'ConsensusStalled';
  readonly kind = 'external';
}

/** A node gave no answer, or none that can be used; the next call may. */
export class NodeUnavailable extends LedgerholdError {
  override readonly name = 'NodeUnavailable';
  readonly kind = 'external';
}

/** What is asked is another chain than the one that the history is of. */
export class AnotherChain extends LedgerholdError {
  override readonly name = 'AnotherChain';
  readonly kind = 'refused';
}
