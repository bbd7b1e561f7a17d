import { snapshotId } from '../../core/deployed-names.ts';
import { Instant, Sha256 } from '../../core/names.ts';
import type { CaptureOrder, Captures } from '../../core/ports.ts';
import { Captured } from '../../core/receipts.ts';
import { SNAPSHOT_CONTENT, SnapshotReference, snapshotTags } from '../../core/snapshots.ts';
import type { Vault } from '../../core/vault.ts';
import { sha256 } from '../../io/digest.ts';
import { putDocument } from '../../vault/documents.ts';

/** The reference to a snapshot that a capture of an instance or Aurora cluster leaves. */
export function referenceOf(
  order: CaptureOrder,
  kind: SnapshotReference['kind'],
  at: Date,
  kmsKey: string | null = null,
): SnapshotReference {
  const id = snapshotId(order, sha256);
  const source = `db-${order.component}`;
  const shelf = 'arn:aws:rds:eu-central-1:111111111111';
  return SnapshotReference.parse({
    format: 'ledgerhold/rds-snapshot/1',
    ...{ network: order.network, node: order.node, slot: order.slot, fence: order.fence, component: order.component },
    ...{ kind, id, source, engineVersion: '15.8', engine: kind === 'cluster' ? 'aurora-postgresql' : 'postgres' },
    arn: `${shelf}:${kind === 'cluster' ? 'cluster-snapshot' : 'snapshot'}:${id}`,
    sourceArn: `${shelf}:${kind === 'cluster' ? 'cluster' : 'db'}:${source}`,
    createdAt: Instant.parse(at.toISOString()),
    allocatedGibibytes: 20,
    kmsKey,
    tags: snapshotTags(order, order.predecessors),
    settings: {
      ...{ instanceClass: 'db.r6g.large', subnetGroup: 'private', parameterGroup: 'pg15-tuned', optionGroup: 'none' },
      ...{ securityGroups: ['sg-1'], port: 5433, multiAz: true, iamAuthentication: true, deletionProtection: true },
    },
  });
}

/** Captures whose artifacts are references to snapshots, without an RDS that holds them. */
export function snapshotCaptures(
  vault: Vault,
  kinds: Readonly<Record<string, SnapshotReference['kind']>>,
  now: () => Date,
  kmsKey: string | null = null,
): Captures {
  return {
    source: ({ component }) => ({ kind: 'rds', at: `db-${component}` }),
    start: async (order) => JSON.stringify(order),
    poll: async () => ({ ended: true, progress: { bytes: 0 } }),
    attest: async () => {},
    finish: async (handle) => {
      const order = JSON.parse(handle) as CaptureOrder;
      const key = `${order.prefix}${order.component}.snapshot.json`;
      const reference = referenceOf(order, kinds[order.component] ?? 'instance', now(), kmsKey);
      const { sha256: digest } = await putDocument(vault, key, reference);
      const size = (await vault.stat(key))?.size ?? 0;
      const at = Instant.parse(now().toISOString());
      return Captured.parse({
        ...{ startedAt: at, endedAt: at, versions: { engine: reference.engineVersion }, notes: {} },
        artifacts: [
          {
            ...{ key, size, sha256: Sha256.parse(digest), content: SNAPSHOT_CONTENT, encodings: [] },
            plain: { size, sha256: digest },
          },
        ],
      });
    },
  };
}
