import type { Manifest } from '../core/manifest.ts';
import { type Finding, violation } from '../core/proof.ts';
import type { Artifact } from '../core/receipts.ts';
import { SnapshotCopy } from '../core/snapshot-copies.ts';
import { SnapshotReference } from '../core/snapshots.ts';
import type { Vault } from '../core/vault.ts';
import { readDocument } from './documents.ts';
import { copyKey } from './layout.ts';
import { orFinding } from './prove-chain.ts';

type Capture = Pick<Manifest, 'network' | 'node' | 'slot' | 'fence'> & { readonly component: string };

const FIELDS = ['network', 'node', 'slot', 'fence', 'component'] as const;

/**
 * A reference must be a document of its format, and about the very capture that cites it. Whether the snapshot itself
 * still exists only RDS can tell; this looks at the vault alone.
 */
export async function proveReference(vault: Vault, { key, sha256 }: Artifact, capture: Capture): Promise<Finding[]> {
  const findings: Finding[] = [];
  const read = await orFinding(findings, key, () => readDocument(vault, key, SnapshotReference));
  const other = read === undefined ? [] : FIELDS.filter((field) => read.value[field] !== capture[field]);
  if (other.length > 0) {
    findings.push(violation('REFERENCE_FOREIGN', key, `${key} is about another capture: ${other.join(', ')}`));
  }
  return [...findings, ...(await proveCopy(vault, { sha256 }, capture))];
}

/** A second vault says where the copy of the snapshot lies. That it does is for RDS to tell, as of the snapshot itself. */
async function proveCopy(vault: Vault, { sha256 }: Pick<Artifact, 'sha256'>, capture: Capture): Promise<Finding[]> {
  const findings: Finding[] = [];
  const key = copyKey(capture, capture.component);
  const copy = (await orFinding(findings, key, () => readDocument(vault, key, SnapshotCopy)))?.value;
  if (copy === undefined) return findings;
  const other: string[] = FIELDS.filter((field) => copy[field] !== capture[field]);
  if (copy.reference !== sha256) other.push('reference');
  if (other.length > 0) return [violation('COPY_FOREIGN', key, `${key} is about another capture: ${other.join(', ')}`)];
  const [, , , region, account] = copy.arn.split(':');
  const text = `the copy of ${capture.component}’s snapshot is ${copy.arn}, in account ${account} and Region ${region}`;
  return [{ level: 'note', code: 'SNAPSHOT_COPIED', about: capture.component, text }];
}
