import { ChainManifest } from '../core/chain.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, readDocument } from './documents.ts';
import { chainManifestKey, chainManifestsPrefix } from './layout.ts';
import { isAmong, newestGood } from './newest.ts';
import { newestNumber } from './numbered.ts';
import { orFinding } from './prove-chain.ts';
import type { Trust } from './trust.ts';

/** A chain's manifests from the newest on. Nothing about them is proved; one that is damaged is passed over. */
export async function* newestManifests(vault: Vault, node: string): AsyncIterable<Document<ChainManifest>> {
  const numbered = { prefix: chainManifestsPrefix(node), keyOf: (n: number) => chainManifestKey(node, n) };
  for (let seq = await newestNumber(vault, numbered); seq > 0; seq--) {
    const key = chainManifestKey(node, seq);
    const manifest = await orFinding([], key, () => readDocument(vault, key, ChainManifest));
    if (manifest !== undefined) yield manifest;
  }
}

/** Whether a scheduled slot's work is in the history. */
export const isInHistory = (vault: Vault, node: string, slot: string): Promise<boolean> =>
  isAmong(newestManifests(vault, node), slot);

/** The newest manifest since `since` that is signed by a trusted key. */
export const newestSigned = (
  vault: Vault,
  node: string,
  trust: Trust,
  since: Date,
): Promise<Document<ChainManifest> | undefined> => newestGood(vault, newestManifests(vault, node), trust, since);
