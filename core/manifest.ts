import * as z from 'zod';
import { LedgerholdError } from './errors.ts';
import { ComponentName, Fence, Instant, NetworkName, NodeName, Seq, Sha256, Slot } from './names.ts';
import { Verdict } from './positions.ts';
import { Artifact } from './receipts.ts';

/** Why a run was made. Every reason but `schedule` and `manual` pins its set against retention. */
export const Reason = z.enum(['schedule', 'manual', 'pre-revoke', 'pre-upgrade', 'pre-prune', 'config-change']);
export type Reason = z.infer<typeof Reason>;

/** A key's fingerprint: SHA-256 of its SubjectPublicKeyInfo in DER. */
export const Fingerprint = Sha256;

/** The commit mark of a set. Canonical JSON (RFC 8785); its signature is a file of its own, over these very bytes. */
export const Manifest = z.strictObject({
  format: z.literal('ledgerhold/manifest/1'),
  network: NetworkName,
  node: NodeName,
  protocol: z.string(),
  seq: Seq,
  /** SHA-256 of the bytes of manifest `seq - 1`; null for the first. */
  previous: Sha256.nullable(),
  slot: Slot,
  fence: Fence,
  reason: Reason,
  sealedAt: Instant,
  /** From the first capture's start to the last one's, in whole seconds, by the capturing machine's clock. */
  spreadSeconds: z.int().min(0),
  /** Waves in the order they were taken. */
  waves: z.array(z.array(ComponentName).min(1)).min(1),
  /** Pairs [before, after] of components, all that the protocol demands. */
  order: z.array(z.tuple([ComponentName, ComponentName])),
  components: z
    .array(
      z.strictObject({
        component: ComponentName,
        role: z.string(),
        start: z.strictObject({ key: z.string(), sha256: Sha256 }),
        end: z.strictObject({ key: z.string(), sha256: Sha256 }),
        artifacts: z.array(Artifact.pick({ key: true, size: true, sha256: true })).min(1),
      }),
    )
    .min(1),
  /** What the attested readings prove, by the protocol's laws. A violated set is never sealed. */
  verdict: Verdict,
  /** The synchronizer at the time, versions, and the like; from the protocol, never a secret. */
  facts: z.record(z.string(), z.string()),
  /** Fingerprint of the signing key. */
  signer: Fingerprint,
});
export type Manifest = z.infer<typeof Manifest>;

/** What retention did to a set, signed like a manifest, so that `verify` says expired and not missing. */
export const Tombstone = z.strictObject({
  format: z.literal('ledgerhold/tombstone/1'),
  network: NetworkName,
  node: NodeName,
  seq: Seq,
  manifest: Sha256,
  expiredAt: Instant,
  reasons: z.array(z.string()).min(1),
  removed: z.array(Artifact.pick({ key: true, size: true, sha256: true })),
  signer: Fingerprint,
});
export type Tombstone = z.infer<typeof Tombstone>;

/** The newest link of a node's chain is not what was sealed: what would be chained behind it would be in doubt for ever. */
export class ChainDamaged extends LedgerholdError {
  override readonly name = 'ChainDamaged';
  readonly kind = 'violation';
}

/** One version of the lease of a slot: `leases/<node>/<slot>/<n>.json`. Whoever writes version n first has won. */
export const Lease = z.strictObject({
  format: z.literal('ledgerhold/lease/1'),
  node: NodeName,
  slot: Slot,
  /** The version; like node and slot the one that its key says: a lease that was moved or replayed shows. */
  n: z.int().min(1),
  fence: Fence,
  /** SHA-256 of this document without this field: leases are not signed, but damage to them must show. */
  check: Sha256,
  /** Seq of the chain's head when this attempt claimed the slot (0: none): its manifest can only lie behind it. */
  head: z.int().min(0),
  /** Who holds it: an execution's ARN, or host, boot id, process and its start time on one machine. */
  holder: z.string(),
  at: Instant,
  expiresAt: Instant,
  /** `held` while the run goes on; the two others end it, so that the next attempt need not wait for the expiry. */
  state: z.enum(['held', 'sealed', 'failed']),
  /** For `failed`: what a person is told. */
  error: z.strictObject({ name: z.string(), message: z.string(), remedy: z.string().optional() }).optional(),
});
export type Lease = z.infer<typeof Lease>;
