import { ChainDamaged } from '../core/manifest.ts';
import type { Vault } from '../core/vault.ts';
import { NotADocument } from './documents.ts';
import { manifestKey, signatureKey } from './layout.ts';
import { headSeq, readManifest, type StoredManifest } from './sets.ts';

/**
 * A manifest whose bytes are those that were signed. No key is asked: the signature's name holds their digest, and it is
 * written first. Undefined: there is none. Rejects with `ChainDamaged`.
 */
export async function readLink(vault: Vault, node: string, seq: number): Promise<StoredManifest | undefined> {
  const key = manifestKey(node, seq);
  try {
    const manifest = await readManifest(vault, node, seq);
    if (manifest === undefined) return undefined;
    if ((await vault.stat(signatureKey(key, manifest.sha256))) !== undefined) return manifest;
  } catch (error) {
    if (error instanceof NotADocument) throw await chainDamaged(vault, node, key, error);
    throw error;
  }
  throw await chainDamaged(vault, node, key);
}

/** The newest link of a node's chain. Undefined: there is none. Rejects with `ChainDamaged`. */
export async function readHead(vault: Vault, node: string): Promise<StoredManifest | undefined> {
  const head = await headSeq(vault, node);
  return head === 0 ? undefined : readLink(vault, node, head);
}

/** The manifest of a slot among those behind `head`. Rejects with `ChainDamaged` if it meets one that is damaged. */
export async function manifestOfSlot(
  vault: Vault,
  node: string,
  slot: string,
  head: number,
): Promise<StoredManifest | undefined> {
  for (let seq = head + 1; ; seq++) {
    const manifest = await readLink(vault, node, seq);
    if (manifest === undefined || manifest.value.slot === slot) return manifest;
  }
}

async function chainDamaged(vault: Vault, node: string, key: string, cause?: NotADocument): Promise<ChainDamaged> {
  const digests: string[] = [];
  const stem = key.replace(/\.json$/, '-');
  for await (const { key: signature } of vault.list(stem)) digests.push(signature.slice(stem.length, -'.sig'.length));
  const known = digests.length === 0 ? '' : `; what was sealed there has the SHA-256 ${digests.join(' or ')}`;
  return new ChainDamaged(
    `${key} is not as it was sealed, and nothing is chained behind it${known}`,
    `Put it back byte for byte, from the second vault or an older version of the object. Where no copy is left, go on in a new vault, or under another name than ${node}.`,
    cause === undefined ? {} : { cause },
  );
}
