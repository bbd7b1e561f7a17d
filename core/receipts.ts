import * as z from 'zod';
import { type ErrorKind, LedgerholdError } from './errors.ts';
import { ComponentName, Fence, Instant, NetworkName, NodeName, Sha256, Slot } from './names.ts';
import { Reading } from './positions.ts';

const common = {
  network: NetworkName,
  node: NodeName,
  slot: Slot,
  fence: Fence,
  component: ComponentName,
};

/** Where a capture took its bytes from, for people; never a secret. */
export const Source = z.strictObject({
  /** `postgres`, `identities`, `rds`, … : the capture kind. */
  kind: z.string(),
  /** Such as `postgres://db.internal:5432/validator` (no user, no password) or the endpoint's origin and path. */
  at: z.string(),
});
export type Source = z.infer<typeof Source>;

/** Written once before the first byte of a capture is taken. Citing digests of *finished* receipts is the proof of order: they cannot be known before those captures have ended. */
export const StartReceipt = z.strictObject({
  format: z.literal('ledgerhold/receipt-start/1'),
  ...common,
  startedAt: Instant,
  source: Source,
  /** One entry for each predecessor by the protocol's order; sorted by component. */
  predecessors: z.array(z.strictObject({ component: ComponentName, end: Sha256 })),
});
export type StartReceipt = z.infer<typeof StartReceipt>;

/** How stored bytes were made from captured ones, outermost last: `['zstd', 'age']` is opened by age, then zstd. */
export const Encoding = z.enum(['gzip', 'zstd', 'age', 'kms-envelope-v1']);
export type Encoding = z.infer<typeof Encoding>;

/** One stored file. */
export const Artifact = z.strictObject({
  key: z.string(),
  size: z.int().min(0),
  sha256: Sha256,
  /** What lies inside the encodings: `pg_dump-custom`, `pg_dump-plain`, `splice-identities-json`. */
  content: z.string(),
  encodings: z.array(Encoding),
  /**
   * The captured bytes before any encoding. Their digest is optional, and dumps have none: it would cost more than all
   * else that is done to them, and `sha256` with the checks of the encodings already proves them.
   */
  plain: z.strictObject({ size: z.int().min(0), sha256: Sha256.optional() }),
});
export type Artifact = z.infer<typeof Artifact>;

/** Written once when a capture has ended and what it stored has been checked. */
export const EndReceipt = z.strictObject({
  format: z.literal('ledgerhold/receipt-end/1'),
  ...common,
  /** SHA-256 of the start half's bytes. */
  start: Sha256,
  startedAt: Instant,
  endedAt: Instant,
  artifacts: z.array(Artifact).min(1),
  /** What the database's own counters said, in the snapshot the dump was taken from; absent where there are none. */
  reading: Reading.optional(),
  /** Versions of what produced the state and of the tools that took it, such as `{ server: '15.18', pg_dump: '15.18' }`. */
  versions: z.record(z.string(), z.string()),
  /** What a protocol wants known about the capture, such as the identities' fingerprint and class; never a secret. */
  notes: z.record(z.string(), z.string()),
});
export type EndReceipt = z.infer<typeof EndReceipt>;

/** What a capture hands over when it has ended; the step makes the end receipt of it. */
export const Captured = EndReceipt.pick({
  startedAt: true,
  endedAt: true,
  artifacts: true,
  reading: true,
  versions: true,
  notes: true,
});
export type Captured = z.infer<typeof Captured>;

/** The step that starts a capture looked at its predecessors, and one of them had not ended. */
export class PredecessorNotEnded extends LedgerholdError {
  override readonly name = 'PredecessorNotEnded';
  readonly kind = 'refused';
}

/** A capture that did not end well; `cause` and message say why. Subclasses name the cases. */
export class CaptureFailed extends LedgerholdError {
  override readonly name: string = 'CaptureFailed';
  readonly kind: ErrorKind = 'external';
}
