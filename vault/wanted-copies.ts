import { canonicalBytes } from '../core/canonical.ts';
import { setId } from '../core/names.ts';
import {
  askedAt,
  type CopyOrder,
  copyOrder,
  type FoundSnapshot,
  type LackingSnapshot,
  SnapshotCopy,
  SnapshotNotCopied,
} from '../core/snapshot-copies.ts';
import { isReference } from '../core/snapshot-janitor.ts';
import type { SnapshotReference } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { readLink, SETS } from './chain.ts';
import { copyKey } from './layout.ts';
import { readTombstone } from './sets.ts';
import { readSnapshotReference } from './snapshot-reference.ts';

/** A snapshot that is to be copied, with all that its set says of it. */
export interface Wanted {
  readonly lacking: LackingSnapshot;
  readonly sealedAt: string;
  /** Where the second vault is told of the copy. */
  readonly key: string;
  readonly reference: SnapshotReference;
  readonly digest: SnapshotCopy['reference'];
  readonly order: CopyOrder;
}

/** Undefined if the copy is there, or the set has expired. */
export async function wantedOf(
  lacking: LackingSnapshot,
  { vault, second }: { readonly vault: Vault; readonly second: Vault },
): Promise<Wanted | undefined> {
  const { node, seq, component } = lacking;
  const manifest = (await readLink(vault, SETS, node, seq))?.value;
  const cited = manifest?.components.find((each) => each.component === component);
  const artifact = cited?.artifacts.find(isReference);
  if (manifest === undefined || cited === undefined || artifact === undefined) {
    throw new SnapshotNotCopied(
      `set ${setId(node, seq)} has no snapshot of ${component}`,
      'Start the workflow of the second vault again; it looks for what is lacking by itself.',
    );
  }
  const key = copyKey(manifest, component);
  if ((await second.stat(key)) !== undefined) return undefined;
  if ((await readTombstone(vault, node, seq)) !== undefined) return undefined;
  const reference = await readSnapshotReference(vault, artifact);
  const { sha256: digest } = artifact;
  const order = copyOrder(reference, digest, { set: setId(node, seq), receipt: cited.end.sha256 });
  return { lacking, sealedAt: manifest.sealedAt, key, reference, digest, order };
}

/** The same bytes whoever writes it, so that a repeated turn finds its own. */
export async function tellWhere(
  { key, reference, digest, order }: Wanted,
  copy: FoundSnapshot,
  second: Vault,
): Promise<void> {
  const { network, node, slot, fence, component, kind } = reference;
  const document = SnapshotCopy.parse({
    format: 'ledgerhold/rds-snapshot-copy/1',
    ...{ network, node, slot, fence, component, kind, reference: digest },
    ...{ id: order.id, arn: copy.arn, copyOf: order.source.arn, kmsKey: copy.kmsKey, tags: copy.tags },
    createdAt: (copy.createdAt ?? askedAt(copy))?.toISOString(),
  });
  await second.putOnce(key, canonicalBytes(document));
}
