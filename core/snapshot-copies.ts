import * as z from 'zod';
import { snapshotCopyId } from './deployed-names.ts';
import { LedgerholdError } from './errors.ts';
import { ComponentName, Fence, Instant, NetworkName, NodeName, Seq, Sha256, Slot } from './names.ts';
import type { SnapshotQuotas } from './quota.ts';
import { LONGEST_SNAPSHOT_SECONDS } from './rds.ts';
import { isOurTag, SnapshotKind, type SnapshotReference } from './snapshots.ts';

/** A snapshot that a set of the first vault refers to, and that the second one has no copy of. */
export const LackingSnapshot = z.strictObject({ node: NodeName, seq: Seq, component: ComponentName });
export type LackingSnapshot = z.infer<typeof LackingSnapshot>;

/**
 * Where the copy of a set's snapshot lies: a document of the second vault alone, beside the set's artifacts, written
 * once when the copy is whole. No receipt cites it, and it proves nothing: whether the copy exists only RDS can tell.
 */
export const SnapshotCopy = z.strictObject({
  format: z.literal('ledgerhold/rds-snapshot-copy/1'),
  network: NetworkName,
  node: NodeName,
  slot: Slot,
  fence: Fence,
  component: ComponentName,
  /** Digest of the `ledgerhold/rds-snapshot/1` that the set cites. */
  reference: Sha256,
  kind: SnapshotKind,
  id: z.string(),
  arn: z.string(),
  /** ARN of the snapshot that it is a copy of. */
  copyOf: z.string(),
  /** As RDS says it of the copy. */
  createdAt: Instant,
  kmsKey: z.string(),
  /** As they were given in the call that copied it. */
  tags: z.record(z.string(), z.string()),
});
export type SnapshotCopy = z.infer<typeof SnapshotCopy>;

/** One snapshot to be copied: what is to be called for, the same at every repetition. */
export interface CopyOrder {
  readonly kind: SnapshotKind;
  /** Name of the copy. */
  readonly id: string;
  /** Name and ARN of what is copied, and what that was taken of. */
  readonly source: { readonly id: string; readonly arn: string; readonly takenOf: string };
  /** All of ours that the copy is to have. */
  readonly tags: Readonly<Record<string, string>>;
}

const TAG = { set: 'ledgerhold:set', receipt: 'ledgerhold:receipt', copyOf: 'ledgerhold:copy-of' } as const;
/** When the copy was asked for, by the asking machine's clock: of two attempts at one copy it may be another. */
const ASKED_AT = 'ledgerhold:asked-at';

/** What the call is given. */
export const tagsAskedAt = ({ tags }: CopyOrder, now: Date): Record<string, string> => ({
  ...tags,
  [ASKED_AT]: now.toISOString(),
});

/** Undefined if it does not say. */
export function askedAt({ tags }: Pick<FoundSnapshot, 'tags'>): Date | undefined {
  const at = Instant.safeParse(tags[ASKED_AT]);
  return at.success ? new Date(at.data) : undefined;
}

/**
 * The same at every repetition. The copy has the tags of its source, which bear the proof of its order and by which a
 * restore knows it, and says what set and finished receipt it belongs to.
 */
export function copyOrder(
  reference: SnapshotReference,
  digest: Sha256,
  of: { readonly set: string; readonly receipt: Sha256 },
): CopyOrder {
  const { kind, id, arn, source: takenOf, tags, network } = reference;
  return {
    ...{ kind, id: snapshotCopyId(network, digest), source: { id, arn, takenOf } },
    tags: { ...tags, [TAG.set]: of.set, [TAG.receipt]: of.receipt, [TAG.copyOf]: arn },
  };
}

/** A snapshot as RDS describes it. */
export interface FoundSnapshot {
  readonly arn: string;
  /** In the service's own words. */
  readonly status: string;
  /** Name of the instance or cluster that it was taken of. */
  readonly source: string;
  /** ARN of the snapshot that it is a copy of, where RDS says so. */
  readonly copyOf: string | undefined;
  readonly createdAt: Date | undefined;
  readonly kmsKey: string | undefined;
  readonly percent: number;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * What copying asks of RDS in both accounts. Rejects with `RdsUnavailable`, `SnapshotsUnavailable`,
 * `SecondAccountRefused`, and with `SnapshotNotCopied` for what RDS refuses and will refuse again. Every call may be
 * repeated.
 */
export interface SnapshotCopier {
  /** In the first account; undefined if there is none of that name. */
  source(order: CopyOrder): Promise<FoundSnapshot | undefined>;
  /** In the second account. */
  copy(order: CopyOrder): Promise<FoundSnapshot | undefined>;
  /** Lets the second account copy the source, and it alone. Resolves to false if RDS will not have it changed now. */
  share(order: CopyOrder): Promise<boolean>;
  /** Ends that; nothing is left to end where the source is gone. */
  unshare(order: CopyOrder): Promise<boolean>;
  /** Begins the copy. Resolves to false if RDS will not copy it now. If the name is taken, the next look tells by whom. */
  begin(order: CopyOrder, now: Date): Promise<boolean>;
  /** Of manual snapshots in the second account. */
  quotas(): Promise<SnapshotQuotas>;
}

/** A snapshot of a set has no copy in the second vault, and will not get one by waiting. */
export class SnapshotNotCopied extends LedgerholdError {
  override readonly name = 'SnapshotNotCopied';
  readonly kind = 'external';
}

/** The second vault's account does not let this one copy snapshots there. */
export class SecondAccountRefused extends LedgerholdError {
  override readonly name = 'SecondAccountRefused';
  readonly kind = 'usage';
}

const FAILED = ['failed', 'deleting', 'deleted', 'incompatible-parameters', 'inaccessible-encryption-credentials'];

/** True when it is whole, false while it is being made. Throws `SnapshotNotCopied` for any other status, unknown ones too. */
export function isWhole(what: string, status: string): boolean {
  if (status === 'available') return true;
  if (status === 'creating' || status === 'copying') return false;
  throw FAILED.includes(status)
    ? new SnapshotNotCopied(
        `${what} is ${status}`,
        'Look at it in RDS. A copy that failed is made again within the hour once you have deleted it.',
      )
    : new SnapshotNotCopied(
        `${what} has the status "${status}", which this version does not know`,
        'Look at it in RDS; if that status is a healthy one, report it.',
      );
}

/** Throws `SnapshotNotCopied` unless the copy is of this very snapshot, by its tags and by all that RDS says of it. */
export function refuseForeignCopy({ id, source, tags }: CopyOrder, found: FoundSnapshot): void {
  const other = differing(tags, found.tags);
  if (askedAt(found) === undefined) other.push(ASKED_AT);
  if (found.source !== source.takenOf) other.push(`taken of ${found.source}`);
  if (found.copyOf !== undefined && found.copyOf !== source.arn) other.push(`a copy of ${found.copyOf}`);
  if (other.length === 0) return;
  throw new SnapshotNotCopied(
    `there is a snapshot ${id} in the second account, and it is another (${other.join(', ')})`,
    'See who makes snapshots under names of ours there; delete it or give it another name.',
  );
}

/** Throws `SnapshotNotCopied` unless it is what the set refers to. */
export function refuseForeignSource({ source }: CopyOrder, reference: SnapshotReference, found: FoundSnapshot): void {
  const other = differing(reference.tags, found.tags);
  if (found.arn !== source.arn) other.push(found.arn);
  if (other.length === 0) return;
  throw new SnapshotNotCopied(
    `snapshot ${source.id} is not the one that was sealed (${other.join(', ')})`,
    'Find out who changes snapshots of ours: CloudTrail names the call.',
  );
}

function differing(tags: CopyOrder['tags'], found: CopyOrder['tags']): string[] {
  const names = new Set([...Object.keys(tags), ...Object.keys(found).filter(isOurTag)]);
  names.delete(ASKED_AT);
  return [...names].filter((name) => found[name] !== tags[name]);
}

/** Throws `SnapshotNotCopied` when a copy has taken too long. Seconds since it was asked for. */
export function refuseStuckCopy(id: string, seconds: number): void {
  if (seconds <= LONGEST_SNAPSHOT_SECONDS) return;
  throw new SnapshotNotCopied(
    `copy ${id} is not available ${Math.floor(seconds / 60)} minutes after it was asked for`,
    'Look at it in RDS; delete it if it is stuck, and it is made again within the hour.',
  );
}

/** Throws `SnapshotNotCopied` unless the second account has room for `begun` copies of this kind and one more. */
export function refuseFull(kind: SnapshotKind, begun: number, quotas: SnapshotQuotas): void {
  const { used, max } = quotas[kind];
  if (used + begun < max) return;
  throw new SnapshotNotCopied(
    `the second account may hold ${max} manual snapshots of ${kind}s in that Region, and has ${used + begun}`,
    'Delete copies there that nobody needs, or ask Service Quotas in that account for more.',
  );
}

/** Twice the longest that a copy may take, and as long again in which others of its database stand before it. */
export const LONGEST_LAG_SECONDS = 4 * LONGEST_SNAPSHOT_SECONDS;

/** Throws `SnapshotNotCopied` for a set that was sealed too long ago to be without its copy. */
export function refuseLate(what: string, sealedAt: string, now: Date): void {
  const seconds = (now.getTime() - Date.parse(sealedAt)) / 1000;
  if (seconds <= LONGEST_LAG_SECONDS) return;
  throw new SnapshotNotCopied(
    `${what} was sealed ${Math.floor(seconds / 3600)} hours ago, and its copy is not there yet`,
    'See whether copies are made as fast as snapshots are: RDS makes those of one database one after the other.',
  );
}
