import type { Manifest } from '../core/manifest.ts';
import { type Finding, violation } from '../core/proof.ts';
import type { Artifact } from '../core/receipts.ts';
import { SnapshotReference } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { readDocument } from './documents.ts';
import { orFinding } from './prove-chain.ts';

/**
 * A reference must be a document of its format, and about the very capture that cites it. Whether the snapshot itself
 * still exists only RDS can tell; this looks at the vault alone.
 */
export async function proveReference(
  vault: Vault,
  { key }: Artifact,
  capture: Pick<Manifest, 'network' | 'node' | 'slot' | 'fence'> & { readonly component: string },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const read = await orFinding(findings, key, () => readDocument(vault, key, SnapshotReference));
  const fields = ['network', 'node', 'slot', 'fence', 'component'] as const;
  const other = read === undefined ? [] : fields.filter((field) => read.value[field] !== capture[field]);
  if (other.length === 0) return findings;
  return [...findings, violation('REFERENCE_FOREIGN', key, `${key} is about another capture: ${other.join(', ')}`)];
}
