import * as z from 'zod';
import { ComponentName, Fence, Instant, NetworkName, NodeName, Slot } from './names.ts';
import type { CaptureOrder } from './ports.ts';
import type { Artifact, StartReceipt } from './receipts.ts';

/** What `Artifact.content` says of a reference: the artifact is this small document, and the state lies in RDS. */
export const SNAPSHOT_CONTENT = 'rds-snapshot';

export const isSnapshot = ({ content }: Pick<Artifact, 'content'>): boolean => content === SNAPSHOT_CONTENT;

/** Name of an RDS instance or cluster, as RDS keeps it: lower case, at most 63, no two hyphens in a row, none last. */
export const RdsIdentifier = z
  .string()
  .max(63)
  .regex(/^[a-z](?:-?[a-z0-9])*$/, { error: 'write its identifier, in lower case: letters, digits, single hyphens' });

/** A snapshot is taken of an instance, or of a Multi-AZ or Aurora cluster. */
export const SnapshotKind = z.enum(['instance', 'cluster']);
export type SnapshotKind = z.infer<typeof SnapshotKind>;

/** How the source was set up, as far as a restore beside it must repeat it. */
export const SourceSettings = z.strictObject({
  /** Of the instance, or of the cluster's writer; absent for Aurora Serverless v1. */
  instanceClass: z.string().optional(),
  subnetGroup: z.string().optional(),
  parameterGroup: z.string().optional(),
  optionGroup: z.string().optional(),
  securityGroups: z.array(z.string()),
  port: z.int().optional(),
  multiAz: z.boolean(),
  iamAuthentication: z.boolean(),
  deletionProtection: z.boolean(),
});
export type SourceSettings = z.infer<typeof SourceSettings>;

/**
 * What a set holds of a snapshot: canonical JSON, stored as `<component>.snapshot.json` under the run's prefix when the
 * snapshot has become available. Its bytes are cited and proved like those of any artifact.
 */
export const SnapshotReference = z.strictObject({
  format: z.literal('ledgerhold/rds-snapshot/1'),
  network: NetworkName,
  node: NodeName,
  slot: Slot,
  fence: Fence,
  component: ComponentName,
  kind: SnapshotKind,
  /** Identifier and ARN of the snapshot. */
  id: z.string(),
  arn: z.string(),
  /** Identifier of the instance or cluster it was taken of, and its ARN. */
  source: z.string(),
  sourceArn: z.string(),
  engine: z.string(),
  engineVersion: z.string(),
  /** As RDS says it; the state is that of some instant between the capture's start and its end. */
  createdAt: Instant,
  allocatedGibibytes: z.int().min(0),
  /** ARN of the key it is encrypted with; null if it is not encrypted. */
  kmsKey: z.string().nullable(),
  /** As they were given in the call that created it. */
  tags: z.record(z.string(), z.string()),
  settings: SourceSettings,
});
export type SnapshotReference = z.infer<typeof SnapshotReference>;

type Order = Pick<CaptureOrder, 'network' | 'node' | 'slot' | 'fence' | 'component'>;

export const TAG = {
  network: 'ledgerhold:network',
  node: 'ledgerhold:node',
  component: 'ledgerhold:component',
  slot: 'ledgerhold:slot',
  fence: 'ledgerhold:fence',
} as const;
/** Followed by a predecessor's name; the value is the digest of its finished receipt. */
export const AFTER_TAG = 'ledgerhold:after:';

/** Others may tag our snapshots, too, such as an organisation's own rules. */
export const isOurTag = (name: string): boolean => name.startsWith('ledgerhold:');

/**
 * Given in the very call that creates a snapshot: the digests cannot be known before the predecessors have ended, so the
 * snapshot itself bears the proof of its order. A snapshot is adopted only with tags equal to these.
 */
export function snapshotTags(order: Order, predecessors: StartReceipt['predecessors']): Record<string, string> {
  return {
    [TAG.network]: order.network,
    [TAG.node]: order.node,
    [TAG.component]: order.component,
    [TAG.slot]: order.slot,
    [TAG.fence]: String(order.fence),
    ...Object.fromEntries(predecessors.map(({ component, end }) => [`${AFTER_TAG}${component}`, end])),
  };
}
