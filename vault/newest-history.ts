import { ChainManifest } from '../core/chain.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, readDocument } from './documents.ts';
import { chainManifestKey, chainManifestsPrefix, signatureKey } from './layout.ts';
import { newestNumber } from './numbered.ts';
import { orFinding } from './prove-chain.ts';
import { checkSigned, type Trust } from './trust.ts';

/** A chain's manifests from the newest on. Nothing about them is proved; one that is damaged is passed over. */
export async function* newestManifests(vault: Vault, node: string): AsyncIterable<Document<ChainManifest>> {
  const numbered = { prefix: chainManifestsPrefix(node), keyOf: (n: number) => chainManifestKey(node, n) };
  for (let seq = await newestNumber(vault, numbered); seq > 0; seq--) {
    const key = chainManifestKey(node, seq);
    const manifest = await orFinding([], key, () => readDocument(vault, key, ChainManifest));
    if (manifest !== undefined) yield manifest;
  }
}

/** Whether a scheduled slot's work is in the history, which can only have been sealed after the slot's instant. */
export async function isInHistory(vault: Vault, node: string, slot: string): Promise<boolean> {
  for await (const { value } of newestManifests(vault, node)) {
    if (value.slot === slot) return true;
    if (Date.parse(value.sealedAt) < Date.parse(slot)) return false;
  }
  return false;
}

/** The newest manifest since `since` that is signed by a trusted key. */
export async function newestSigned(
  vault: Vault,
  node: string,
  trust: Trust,
  since: Date,
): Promise<Document<ChainManifest> | undefined> {
  for await (const manifest of newestManifests(vault, node)) {
    const { value, key, bytes } = manifest;
    if (Date.parse(value.sealedAt) < since.getTime()) return undefined;
    const signature = await checkSigned(vault, trust, value.signer, bytes, (digest) => signatureKey(key, digest));
    if (signature === 'good') return manifest;
  }
  return undefined;
}
