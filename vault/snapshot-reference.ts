import type { Artifact } from '../core/receipts.ts';
import { SnapshotReference } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { ArtifactDamaged } from './artifact.ts';
import { readDocument } from './documents.ts';

/** The reference that a set holds of a snapshot. Rejects with `ArtifactDamaged`, `NotADocument` or `UnknownFormat`. */
export async function readSnapshotReference(
  vault: Vault,
  { key, sha256 }: Pick<Artifact, 'key' | 'sha256'>,
): Promise<SnapshotReference> {
  const found = await readDocument(vault, key, SnapshotReference);
  if (found === undefined) throw new ArtifactDamaged(key, 'it is missing');
  if (found.sha256 !== sha256) throw new ArtifactDamaged(key, 'its SHA-256 is another');
  return found.value;
}
