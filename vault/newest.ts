import type { Vault } from '../core/vault.ts';
import type { Document } from './documents.ts';
import { manifestKey, signatureKey } from './layout.ts';
import { orFinding } from './prove-chain.ts';
import { manifestSeqs, readManifest, type StoredManifest } from './sets.ts';
import { checkSigned, type Trust } from './trust.ts';

/**
 * A node's manifests from the newest on, read one by one as they are asked for. Nothing about them is proved; one that is
 * damaged is passed over, as if it were not there.
 */
export async function* newestFirst(vault: Vault, node: string): AsyncIterable<StoredManifest> {
  for (const seq of (await manifestSeqs(vault, node)).toReversed()) {
    const manifest = await orFinding([], manifestKey(node, seq), () => readManifest(vault, node, seq));
    if (manifest !== undefined) yield manifest;
  }
}

/** Whether a scheduled slot has its set. */
export const isSealed = (vault: Vault, node: string, slot: string): Promise<boolean> =>
  isAmong(newestFirst(vault, node), slot);

/** What every manifest tells of its run, of sets and of histories alike. */
interface Sealed {
  readonly slot: string;
  readonly sealedAt: string;
  readonly signer: string;
}

/** Whether a scheduled slot has one of these, newest first: it can only have been sealed after the slot's instant. */
export async function isAmong(manifests: AsyncIterable<Document<Sealed>>, slot: string): Promise<boolean> {
  for await (const { value } of manifests) {
    if (value.slot === slot) return true;
    if (Date.parse(value.sealedAt) < Date.parse(slot)) return false;
  }
  return false;
}

/** The first of these, newest first, that was sealed since `since`, is signed by a trusted key, and is accepted. */
export async function newestGood<M extends Sealed>(
  vault: Vault,
  manifests: AsyncIterable<Document<M>>,
  trust: Trust,
  since: Date,
  accepts: (value: M) => boolean = () => true,
): Promise<Document<M> | undefined> {
  for await (const manifest of manifests) {
    const { value, key, bytes } = manifest;
    if (Date.parse(value.sealedAt) < since.getTime()) return undefined;
    if (!accepts(value)) continue;
    const signature = await checkSigned(vault, trust, value.signer, bytes, (digest) => signatureKey(key, digest));
    if (signature === 'good') return manifest;
  }
  return undefined;
}

/** The newest set since `since` whose manifest is signed by a trusted key and says that its order is proven. */
export const newestProven = (
  vault: Vault,
  node: string,
  trust: Trust,
  since: Date,
): Promise<StoredManifest | undefined> =>
  newestGood(vault, newestFirst(vault, node), trust, since, ({ verdict }) => verdict.status === 'proven');

/** Bytes that the artifacts of the newest set take: about what the next one will. Undefined: there is none. */
export async function newestSize(vault: Vault, node: string): Promise<number | undefined> {
  for await (const { value } of newestFirst(vault, node)) {
    return value.components.flatMap(({ artifacts }) => artifacts).reduce((sum, { size }) => sum + size, 0);
  }
  return undefined;
}
