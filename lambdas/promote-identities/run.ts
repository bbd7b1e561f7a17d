import { promotionIn, type StoredSecret } from '../../core/identities-secret.ts';
import { ChainDamaged, type Manifest } from '../../core/manifest.ts';
import type { Sha256 } from '../../core/names.ts';
import { EndReceipt } from '../../core/receipts.ts';
import type { InputOf, OutputOf } from '../../core/step.ts';
import type { Vault } from '../../core/vault.ts';
import { type Document, readDocument } from '../../vault/documents.ts';
import { manifestKey } from '../../vault/layout.ts';
import { readManifest } from '../../vault/sets.ts';
import type { promoteIdentities } from './contract.ts';

export interface PromoteIdentitiesPorts {
  readonly vault: Vault;
  /** May be repeated. Rejects with an error of `core/identities-secret.ts`. */
  readonly promote: (version: Omit<StoredSecret, 'form'>) => Promise<void>;
}

export async function run(
  { node, seq, manifest }: InputOf<typeof promoteIdentities>,
  { vault, promote }: PromoteIdentitiesPorts,
): Promise<OutputOf<typeof promoteIdentities>> {
  const sealed = asCited(await readManifest(vault, node, seq), manifestKey(node, seq), manifest);
  const promoted: string[] = [];
  for (const { notes } of await endReceipts(vault, sealed.components)) {
    const version = promotionIn(notes);
    if (version === undefined) continue;
    await promote(version);
    promoted.push(version.secretId);
  }
  return { promoted };
}

/** All are read before anything is promoted: nothing of a set of which a receipt is in doubt becomes current. */
async function endReceipts(vault: Vault, components: Manifest['components']): Promise<EndReceipt[]> {
  const receipts: EndReceipt[] = [];
  for (const { end } of components) {
    receipts.push(asCited(await readDocument(vault, end.key, EndReceipt), end.key, end.sha256));
  }
  return receipts;
}

function asCited<T>(document: Document<T> | undefined, key: string, cited: Sha256): T {
  if (document?.sha256 === cited) return document.value;
  throw new ChainDamaged(
    `${key} is ${document === undefined ? 'not in the vault' : 'not the one that was sealed'}; no identities were promoted`,
    'Run `ledgerhold verify --all`: somebody else writes to this vault.',
  );
}
