import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { LedgerholdError } from '../core/errors.ts';
import type { Sha256 } from '../core/names.ts';
import { sha256 } from './digest.ts';

/**
 * True if `signature` (DER) is ECDSA over SHA-256 of `bytes` by the key, as `openssl dgst -sha256 -verify` would say.
 * Throws `NotAPublicKey`. Bytes that are no DER signature give false.
 */
export function verifySignature(publicKeyPem: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify('sha256', bytes, { key: p256PublicKey(publicKeyPem), dsaEncoding: 'der' }, signature);
}

/** SHA-256 of the key's SubjectPublicKeyInfo in DER: the same for every way a PEM can be wrapped. Throws `NotAPublicKey`. */
export function fingerprintOf(publicKeyPem: string): Sha256 {
  return sha256(p256PublicKey(publicKeyPem).export({ type: 'spki', format: 'der' }));
}

/** The one PEM form of a public key: 64 characters a line, a final newline. Throws `NotAPublicKey`. */
export const canonicalPem = (publicKeyPem: string): string =>
  p256PublicKey(publicKeyPem).export({ type: 'spki', format: 'pem' }).toString();

/** Whether bytes are a public key in its one PEM form, and of this fingerprint. */
export function isKeyOf(fingerprint: string, bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString('latin1');
  try {
    return canonicalPem(text) === text && fingerprintOf(text) === fingerprint;
  } catch (error) {
    if (error instanceof NotAPublicKey) return false;
    throw error;
  }
}

/** True of a key on the one curve that signs here. */
export const isP256 = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

function p256PublicKey(pem: string): KeyObject {
  // Node derives a public key from a private one without a word; a private key here is somebody's mistake.
  if (pem.includes('PRIVATE KEY')) throw new NotAPublicKey('it is a private key');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new NotAPublicKey('it is not PEM', { cause });
  }
  if (!isP256(key))
    throw new NotAPublicKey(`it is ${key.asymmetricKeyType ?? 'a key of another kind'}, not ECDSA P-256`);
  return key;
}

export class NotAPublicKey extends LedgerholdError {
  override readonly name = 'NotAPublicKey';
  readonly kind = 'usage';
  constructor(why: string, options?: ErrorOptions) {
    super(
      `the public key cannot be used: ${why}`,
      'Give the PEM file that starts with -----BEGIN PUBLIC KEY-----, as `openssl ec -pubout` prints it.',
      options,
    );
  }
}
