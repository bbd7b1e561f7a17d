import type { Sha256 } from '../core/names.ts';
import type { Signer } from '../core/ports.ts';
import type { Vault } from '../core/vault.ts';
import { sha256 } from '../io/digest.ts';
import { fingerprintOf, verifySignature } from '../io/signatures.ts';
import { endorsementKey, endorsementsIn, publicKeyKey } from './layout.ts';

/** Public keys (PEM) by fingerprint that signatures are held against. */
export type Trust = ReadonlyMap<string, string>;

/**
 * The keys given from outside, and those in the vault that a trusted key endorses, as far as that reaches. A key is
 * never trusted because it lies in the vault.
 */
export async function trustFrom(vault: Vault, given: readonly string[]): Promise<Trust> {
  const trust = new Map<string, string>(given.map((pem) => [fingerprintOf(pem), pem]));
  const endorsements: { key: string; fingerprint: string; by: string }[] = [];
  for await (const { key } of vault.list('keys/')) {
    const endorsement = endorsementsIn(key);
    if (endorsement !== undefined) endorsements.push({ key, ...endorsement });
  }
  for (let before = -1; before !== trust.size; ) {
    before = trust.size;
    for (const { key, fingerprint, by } of endorsements) {
      const endorser = trust.get(by);
      if (endorser === undefined || trust.has(fingerprint)) continue;
      const [pem, signature] = [await vault.get(publicKeyKey(fingerprint)), await vault.get(key)];
      if (pem === undefined || signature === undefined || !verifySignature(endorser, pem, signature)) continue;
      const text = Buffer.from(pem).toString();
      if (fingerprintOf(text) === fingerprint) trust.set(fingerprint, text);
    }
  }
  return trust;
}

/** Stores a signer's public key, and `endorser`'s signature over it, so that who trusts the one can trust the other. */
export async function publishKey(vault: Vault, signer: Signer, endorser?: Signer): Promise<Sha256> {
  const fingerprint = await signer.fingerprint();
  const pem = Buffer.from(await signer.publicKeyPem());
  await vault.putOnce(publicKeyKey(fingerprint), pem);
  if (endorser !== undefined) {
    await vault.putOnce(endorsementKey(fingerprint, await endorser.fingerprint()), await endorser.sign(pem));
  }
  return fingerprint;
}

/** Is there a signature by `signer` over exactly these bytes? */
export async function checkSigned(
  vault: Vault,
  trust: Trust,
  signer: string,
  bytes: Uint8Array,
  keyOf: (digest: string) => string,
): Promise<'good' | 'wrong' | 'missing' | 'untrusted'> {
  const signature = await vault.get(keyOf(sha256(bytes)));
  if (signature === undefined) return 'missing';
  const key = trust.get(signer);
  if (key === undefined) return 'untrusted';
  return verifySignature(key, bytes, signature) ? 'good' : 'wrong';
}
