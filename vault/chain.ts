import type * as z from 'zod';
import { ChainDamaged, Manifest } from '../core/manifest.ts';
import type { Vault } from '../core/vault.ts';
import { type Document, NotADocument, readDocument } from './documents.ts';
import { manifestKey, manifestsPrefix, numberOf, runsPrefix, signatureKey } from './layout.ts';

/** What every link of a chain of manifests says. */
export interface LinkValue {
  readonly seq: number;
  readonly slot: string;
  readonly fence: number;
  readonly node: string;
}

/** A kind of signed manifests, each citing the one before it: a node's sets, or the history of its chain. */
export interface Links<M extends LinkValue> {
  readonly schema: z.ZodType<M>;
  readonly prefixOf: (node: string) => string;
  readonly keyOf: (node: string, seq: number) => string;
  /** Where the attempts at a slot leave what they do, each under its fence. */
  readonly runsOf: (node: string, slot: string) => string;
}

export const SETS: Links<Manifest> = {
  ...{ schema: Manifest, prefixOf: manifestsPrefix, keyOf: manifestKey, runsOf: runsPrefix },
};

/**
 * A manifest whose bytes are those that were signed. No key is asked: the signature's name holds their digest, and it is
 * written first. Undefined: there is none. Rejects with `ChainDamaged`.
 */
export async function readLink<M extends LinkValue>(
  vault: Vault,
  links: Links<M>,
  node: string,
  seq: number,
): Promise<Document<M> | undefined> {
  return (await linkWith(vault, links, node, seq, (key) => vault.stat(key)))?.link;
}

/** The same with its signature, for whoever passes both on: one read less than to look whether it is signed first. */
export function readSignedLink<M extends LinkValue>(
  vault: Vault,
  links: Links<M>,
  node: string,
  seq: number,
): Promise<{ readonly link: Document<M>; readonly signature: Uint8Array } | undefined> {
  return linkWith(vault, links, node, seq, (key) => vault.get(key));
}

async function linkWith<M extends LinkValue, S>(
  vault: Vault,
  links: Links<M>,
  node: string,
  seq: number,
  signatureAt: (key: string) => Promise<S | undefined>,
): Promise<{ link: Document<M>; signature: S } | undefined> {
  const key = links.keyOf(node, seq);
  try {
    const link = await readDocument(vault, key, links.schema);
    if (link === undefined) return undefined;
    const signature = await signatureAt(signatureKey(key, link.sha256));
    if (signature !== undefined) return { link, signature };
  } catch (error) {
    if (error instanceof NotADocument) throw await chainDamaged(vault, node, key, error);
    throw error;
  }
  throw await chainDamaged(vault, node, key);
}

/** Number of the newest link; 0 if there is none. */
export async function headNumber(
  vault: Vault,
  links: { readonly prefixOf: (node: string) => string },
  node: string,
): Promise<number> {
  let head = 0;
  for await (const { key } of vault.list(links.prefixOf(node))) head = numberOf(key) ?? head;
  return head;
}

/** The newest link of a node's chain. Undefined: there is none. Rejects with `ChainDamaged`. */
export async function readHead<M extends LinkValue>(
  vault: Vault,
  links: Links<M>,
  node: string,
): Promise<Document<M> | undefined> {
  const head = await headNumber(vault, links, node);
  return head === 0 ? undefined : readLink(vault, links, node, head);
}

/** The manifest of a slot among those behind `head`. Rejects with `ChainDamaged` if it meets one that is damaged. */
export async function manifestOfSlot<M extends LinkValue>(
  vault: Vault,
  links: Links<M>,
  { node, slot }: { readonly node: string; readonly slot: string },
  head: number,
): Promise<Document<M> | undefined> {
  for (let seq = head + 1; ; seq++) {
    const manifest = await readLink(vault, links, node, seq);
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
