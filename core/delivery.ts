import * as z from 'zod';
import { BlockNumber, HistoryDamaged } from './chain.ts';
import { LedgerholdError } from './errors.ts';
import { type Member, type MemberFault, MemberId } from './members.ts';
import { Instant, NetworkName, Seq, Sha256 } from './names.ts';

/** One object on its way to members: of the vault, under the same key. Size in bytes. */
export interface Deliverable {
  readonly key: string;
  readonly size: number;
  readonly sha256: Sha256;
  /** What a member sees of a manifest's files comes before the manifest; a signature and its manifest last. */
  readonly kind: 'file' | 'document' | 'seal';
  /** Number of the manifest that brings it; absent: none does. */
  readonly manifest?: Seq;
  /** Of documents: their bytes, which had to be read anyway. */
  readonly bytes?: Uint8Array;
}

/** Of an item whose bytes were read, and are others. */
export const notAsSealed = ({ key }: Deliverable): HistoryDamaged =>
  new HistoryDamaged(
    `the bytes of ${key} are not those that were sealed: they go to nobody`,
    'Run `ledgerhold verify --all`, and bring back what it names from another copy; then deliver again.',
  );

/** What a member's store said when it was given an object. */
export const Stored = z.strictObject({
  /** `there`: the key was taken, as after a broken run. `same`: it was taken, and reading showed these very bytes. */
  outcome: z.enum(['written', 'same', 'there']),
  /** S3 has compared what it stores with the sealed SHA-256, and has answered with it. */
  attested: z.literal('sha256').optional(),
  /** Of what S3 has copied, as it answered: base64. */
  crc64nvme: z.string().optional(),
  /** Of what was sent in parts, as S3 answered: base64. */
  crc32: z.string().optional(),
  versionId: z.string().optional(),
  /** `AES256`, or the ARN of the key that S3 has encrypted with. */
  encryption: z.string().optional(),
});
export type Stored = z.infer<typeof Stored>;

/** A manifest up to which something of a chain is there. */
export const Reach = z.strictObject({
  seq: Seq,
  /** Of the manifest's bytes. */
  sha256: Sha256,
  sealedAt: Instant,
  /** The last block there; null while the chain has none. */
  block: BlockNumber.nullable(),
});
export type Reach = z.infer<typeof Reach>;

/** How far one chain's history is with a member: everything up to this manifest is there, chain files perhaps less far. */
export const Cursor = z.strictObject({
  ...Reach.shape,
  /** Up to where chain files are there, too; null: there are none. Absent: as far as all else. */
  files: Reach.nullable().optional(),
});
export type Cursor = z.infer<typeof Cursor>;

/** Up to where chain files are there. */
export const filesReach = (cursor: Cursor | undefined): Reach | undefined =>
  cursor?.files === undefined ? cursor : (cursor.files ?? undefined);

export const takesChain = ({ chains }: Pick<Member, 'chains'>, node: string): boolean => chains?.includes(node) ?? true;

export const takesFiles = ({ chainFiles }: Pick<Member, 'chainFiles'>): boolean => chainFiles !== false;

/** Up to where all is there that a member takes. */
export const reachOf = (cursor: Cursor | undefined, member: Pick<Member, 'chainFiles'>): Reach | undefined =>
  takesFiles(member) ? filesReach(cursor) : cursor;

const further = (a: Reach | undefined, b: Reach | undefined) => ((b?.seq ?? 0) > (a?.seq ?? 0) ? b : a);

const bare = ({ seq, sha256, sealedAt, block }: Reach): Reach => ({ seq, sha256, sealedAt, block });

/** What two cursors of one chain say together: neither knows what the other has moved. */
export function furthestOf(a: Cursor | undefined, b: Cursor): Cursor {
  const all = bare(further(a, b) ?? b);
  const files = further(filesReach(a), filesReach(b));
  return files?.seq === all.seq ? all : { ...all, files: files === undefined ? null : bare(files) };
}

/** Sums over all receipts since the destination was registered. */
export const DeliveryTotals = z.strictObject({
  objects: z.int().min(0),
  /** Of these, chain files. */
  files: z.int().min(0),
  bytes: z.int().min(0),
  /** Objects whose key was taken, and which nobody but the member can read. */
  unproven: z.int().min(0),
});
export type DeliveryTotals = z.infer<typeof DeliveryTotals>;

/** `deliveries/<id>/<seq>.json`: what one batch put into a member's bucket. Signed and chained like a manifest. */
export const DeliveryReceipt = z.strictObject({
  format: z.literal('ledgerhold/delivery/1'),
  ...{ network: NetworkName, member: MemberId, seq: Seq },
  /** SHA-256 of the bytes of receipt `seq - 1`; null for the first. */
  previous: Sha256.nullable(),
  /** The member's version that registered the destination: receipts of another one do not count. */
  since: z.int().min(1),
  destination: z.string(),
  at: Instant,
  delivered: z.array(
    z.strictObject({
      ...{ key: z.string(), size: z.int().min(0), sha256: Sha256, kind: z.enum(['file', 'document', 'seal']) },
      /** Number of the manifest of its chain that brings it; absent: of the format or the public keys. */
      manifest: Seq.optional(),
      at: Instant,
      ...Stored.shape,
    }),
  ),
  /** By chain, with what this receipt adds. */
  cursors: z.record(z.string(), Cursor),
  /** Of the vault's format and public keys: those that are there by now. */
  trust: z.array(z.string()),
  totals: DeliveryTotals,
  /** Numbers of the receipts before this one that list what none of its cursors has got to. */
  begun: z.array(Seq),
  signer: Sha256,
});
export type DeliveryReceipt = z.infer<typeof DeliveryReceipt>;
export type Delivered = DeliveryReceipt['delivered'][number];

/** Whether a cursor says of an object that it is there, with all else of its manifest. */
export function isReached(
  { key, kind, manifest }: Pick<Delivered, 'key' | 'kind' | 'manifest'>,
  cursors: DeliveryReceipt['cursors'],
): boolean {
  const cursor = cursors[key.split('/')[1] ?? ''];
  return (manifest ?? 0) <= ((kind === 'file' ? filesReach(cursor) : cursor)?.seq ?? 0);
}

/** Objects in one receipt at most: some 400 bytes each, far below what a document may have. */
export const MOST_IN_A_RECEIPT = 500;

export const NOTHING_DELIVERED: DeliveryTotals = { objects: 0, files: 0, bytes: 0, unproven: 0 };

export const totalsWith = (totals: DeliveryTotals, delivered: readonly Delivered[]): DeliveryTotals => ({
  objects: totals.objects + delivered.length,
  files: totals.files + delivered.filter(({ kind }) => kind === 'file').length,
  bytes: totals.bytes + delivered.reduce((sum, { size }) => sum + size, 0),
  unproven: totals.unproven + delivered.filter(({ outcome }) => outcome === 'there').length,
});

/** Failed for now: the member's store is away, throttles, or the line breaks. It is tried again by itself. */
export class MemberUnavailable extends LedgerholdError {
  override readonly name = 'MemberUnavailable';
  readonly kind = 'external';
}

/** The member's store refuses us, or is not what was registered: nothing more goes there until a person has looked. */
export class MemberRefused extends LedgerholdError {
  override readonly name = 'MemberRefused';
  readonly kind = 'refused';
  readonly fault: MemberFault;
  constructor(fault: MemberFault, options?: ErrorOptions) {
    super(fault.message, fault.remedy, options);
    this.fault = fault;
  }
}

/** What we deliver with is not to be had, or is not known: the fault is ours, and no member is to hear of it. */
export class DeliveryRoleUnusable extends LedgerholdError {
  override readonly name = 'DeliveryRoleUnusable';
  readonly kind = 'external';
}

/** Under a key of ours lie other bytes than those that were agreed on. They are never overwritten. */
export const tampered = (url: string, key: string): MemberFault => ({
  name: 'TAMPERED',
  message: `${key} in ${url} is not what was delivered`,
  remedy:
    'Find out who wrote there; move the object away or bring back its first version, then let the check be run again.',
});

/** What the receipts show is not there any more. It is not put there again by itself: somebody took it away. */
export const missingAtMember = (url: string, key: string): MemberFault => ({
  name: 'MISSING_AT_MEMBER',
  message: `${key} was delivered to ${url}, and is not there any more`,
  remedy:
    'Find out who removed it; bring it back, as from an older version, and let the check be run again. Registering the ' +
    'destination again delivers whatever is missing.',
});

/** Found by reading: what lies at a member is not what was delivered. */
export const IS_OTHERWISE: readonly string[] = ['TAMPERED', 'MISSING_AT_MEMBER'];

/**
 * A member's store, as delivery needs it. The prefix is the destination's own. Every call ends, however silent the store:
 * folders by `vault/unless-silent.ts`, buckets by the limits of their clients (`aws/s3-client.ts`).
 */
export interface Destination {
  /** For people: `file:///…` or `s3://bucket/prefix`. */
  readonly url: string;
  /**
   * Puts an object under its key, once: what lies there is never touched. `body` gives the bytes to those that cannot
   * take them from the vault themselves, each time from the start, in chunks that nobody changes any more. Rejects with
   * `MemberUnavailable` (an answer may be lost: then it is there or not), with `MemberRefused`, with `HistoryDamaged`,
   * `VaultUnavailable` or `DeliveryRoleUnusable` for what is our own, or with what `body` or `signal` says. In all these
   * other cases nothing is put there, but for `MemberRefused` with `ANOTHER_KEY`, which shows in the answer alone.
   */
  put(item: Deliverable, body: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Stored>;
  /** True: `put` takes the bytes from bucket to bucket, but for those that an item has with it, and never asks for `body`. */
  readonly copies: boolean;
  /**
   * What speaks against delivering there, by trying: a canary is left behind. Empty: nothing. Rejects with
   * `MemberUnavailable` if nothing can be learned now, with `DeliveryRoleUnusable`, and with the reason of `signal`.
   */
  check(signal?: AbortSignal): Promise<readonly MemberFault[]>;
  /**
   * Reads back. Undefined where the object is absent, or where the member does not let us: a bucket that we may not list
   * says the same to both, and `mayRead` tells them apart. Rejects like `put`, and so does what it resolves to.
   */
  read?(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Whether the member lets us read what we put there, by trying: a canary is left behind. Rejects like `put`. */
  mayRead?(signal: AbortSignal): Promise<boolean>;
}

/** An error at a member as its registry tells it. */
export const faultOf = (error: unknown): MemberFault => {
  if (error instanceof MemberRefused) return error.fault;
  if (error instanceof LedgerholdError) return { name: error.name, message: error.message, remedy: error.remedy };
  return { name: 'Unexpected', message: String(error), remedy: 'Report this; the log has the whole of it.' };
};
