import type * as z from 'zod';
import type { Vault } from '../core/vault.ts';
import { isKeyOf, verifySignature } from '../io/signatures.ts';
import { type Document, NotADocument, readDocument } from './documents.ts';
import { publicKeyKey, signatureKey } from './layout.ts';

/** What a member's receipts and proofs have in common: numbered from 1, each citing the one before it. */
export interface OfMember {
  readonly member: string;
  readonly seq: number;
  readonly previous: string | null;
  readonly signer: string;
}

/** With the signature that was found to be over these very bytes. */
export interface SignedDocument<T> extends Document<T> {
  readonly signature: Uint8Array;
}

/** The key in the vault that has this fingerprint; undefined: there is none, or other bytes lie there. */
export type SignerKeys = (signer: string) => Promise<string | undefined>;

/** Reads each key once: a walk over a year's receipts meets one or two. */
export function signerKeys(vault: Vault): SignerKeys {
  const known = new Map<string, Promise<string | undefined>>();
  const read = async (signer: string) => {
    const bytes = await vault.get(publicKeyKey(signer));
    return bytes !== undefined && isKeyOf(signer, bytes) ? Buffer.from(bytes).toString() : undefined;
  };
  return (signer) => {
    const key = known.get(signer) ?? read(signer);
    known.set(signer, key);
    return key;
  };
}

/**
 * A receipt or proof that was signed for this member and number, by the key of the vault that it names. Such a key is no
 * trust anchor: whoever can put one there can sign. Undefined: there is none. Rejects with `NotADocument`.
 */
export async function readSigned<T extends OfMember>(
  vault: Vault,
  { key, member, seq }: { readonly key: string; readonly member: string; readonly seq: number },
  schema: z.ZodType<T>,
  keyOf: SignerKeys,
): Promise<SignedDocument<T> | undefined> {
  const document = await readDocument(vault, key, schema);
  if (document === undefined) return undefined;
  const { value, bytes, sha256 } = document;
  if (value.member !== member || value.seq !== seq) {
    throw refused(`${key} holds number ${value.seq} of ${value.member}: moved or replayed`);
  }
  const [signature, pem] = await Promise.all([vault.get(signatureKey(key, sha256)), keyOf(value.signer)]);
  if (signature === undefined) throw refused(`${key} is not as it was signed`);
  if (pem === undefined) throw refused(`${key} is signed by ${value.signer}, whose key is not in the vault`);
  if (!verifySignature(pem, bytes, signature)) throw refused(`the signature of ${key} does not fit its bytes`);
  return { ...document, signature };
}

/** Throws `NotADocument` unless `newer` cites the bytes of the one before it; undefined: it is the first. */
export function expectLink(older: { readonly sha256: string } | undefined, newer: Document<OfMember>): void {
  if (newer.value.previous === (older?.sha256 ?? null)) return;
  throw refused(`${newer.key} does not cite what lies before it`);
}

export const missing = (key: string): NotADocument => refused(`${key} is missing, and there are newer ones`);

const refused = (what: string): NotADocument =>
  new NotADocument(what, 'Compare the object with another copy of the vault.');
