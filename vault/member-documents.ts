import type * as z from 'zod';
import { DeliveryReceipt } from '../core/delivery.ts';
import { ReadBack } from '../core/read-back.ts';
import type { Vault } from '../core/vault.ts';
import { isKeyOf, verifySignature } from '../io/signatures.ts';
import { type Document, NotADocument, readDocument } from './documents.ts';
import { deliveriesPrefix, deliveryKey, proofKey, proofsPrefix, publicKeyKey, signatureKey } from './layout.ts';
import { newestNumber } from './numbered.ts';

/** What a member's receipts and proofs have in common: numbered from 1, each citing the one before it. */
export interface OfMember {
  readonly member: string;
  readonly seq: number;
  readonly previous: string | null;
  readonly signer: string;
}

/** One kind of a member's numbered documents. */
export interface Kind<T extends OfMember> {
  readonly schema: z.ZodType<T>;
  readonly prefixOf: (member: string) => string;
  readonly keyOf: (member: string, seq: number) => string;
}

export const RECEIPTS: Kind<DeliveryReceipt> = {
  schema: DeliveryReceipt,
  prefixOf: deliveriesPrefix,
  keyOf: deliveryKey,
};
export const PROOFS: Kind<ReadBack> = { schema: ReadBack, prefixOf: proofsPrefix, keyOf: proofKey };

/** Number of a member's newest one, of any destination; 0: there is none. */
export const newestOf = <T extends OfMember>(vault: Vault, { prefixOf, keyOf }: Kind<T>, member: string) =>
  newestNumber(vault, { prefix: prefixOf(member), keyOf: (n) => keyOf(member, n) });

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
  { schema, keyOf }: Kind<T>,
  member: string,
  seq: number,
  signers: SignerKeys,
): Promise<SignedDocument<T> | undefined> {
  const key = keyOf(member, seq);
  const document = await readDocument(vault, key, schema);
  if (document === undefined) return undefined;
  const { value, bytes, sha256 } = document;
  if (value.member !== member || value.seq !== seq) {
    throw refused(`${key} holds number ${value.seq} of ${value.member}: moved or replayed`);
  }
  const [signature, pem] = await Promise.all([vault.get(signatureKey(key, sha256)), signers(value.signer)]);
  if (signature === undefined) throw refused(`${key} is not as it was signed`);
  if (pem === undefined) throw refused(`${key} is signed by ${value.signer}, whose key is not in the vault`);
  if (!verifySignature(pem, bytes, signature)) throw refused(`the signature of ${key} does not fit its bytes`);
  return { ...document, signature };
}

/** The same of one that is there, or was: rejects with `NotADocument` where it is missing, too. */
export async function signedAt<T extends OfMember>(
  vault: Vault,
  kind: Kind<T>,
  member: string,
  seq: number,
  signers: SignerKeys = signerKeys(vault),
): Promise<SignedDocument<T>> {
  const found = await readSigned(vault, kind, member, seq, signers);
  if (found === undefined) throw missing(kind.keyOf(member, seq));
  return found;
}

/** Oldest first, behind number `after`, each as it was signed (see `readSigned`). Rejects with `NotADocument`. */
export async function* signedAfter<T extends OfMember>(
  vault: Vault,
  kind: Kind<T>,
  member: string,
  { after, last }: { readonly after: number; readonly last: number },
): AsyncGenerator<SignedDocument<T>> {
  const signers = signerKeys(vault);
  for (let seq = after + 1; seq <= last; seq++) yield signedAt(vault, kind, member, seq, signers);
}

/** Throws `NotADocument` unless `newer` cites the bytes of the one before it; undefined: it is the first. */
export function expectLink(older: { readonly sha256: string } | undefined, newer: Document<OfMember>): void {
  if (newer.value.previous === (older?.sha256 ?? null)) return;
  throw refused(`${newer.key} does not cite what lies before it`);
}

export const missing = (key: string): NotADocument => refused(`${key} is missing, and there are newer ones`);

const refused = (what: string): NotADocument =>
  new NotADocument(what, 'Compare the object with another copy of the vault.');
