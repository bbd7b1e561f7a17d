import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { fingerprintOf, NotAPublicKey, verifySignature } from '../../io/signatures.ts';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const bytes = Buffer.from('a manifest');

describe('verifySignature', () => {
  const { privateKey, publicKey } = pair();
  const signature = sign('sha256', bytes, privateKey);

  test('holds for the signed bytes and the key that signed them', () => {
    expect(verifySignature(pemOf(publicKey), bytes, signature)).toBe(true);
  });

  test('does not hold for other bytes, another key, or what is no signature', () => {
    expect(verifySignature(pemOf(publicKey), Buffer.from('a Manifest'), signature)).toBe(false);
    expect(verifySignature(pemOf(pair().publicKey), bytes, signature)).toBe(false);
    for (const wrong of [Buffer.alloc(0), Buffer.alloc(72), signature.subarray(1), Buffer.from('garbage')]) {
      expect(verifySignature(pemOf(publicKey), bytes, wrong)).toBe(false);
    }
  });

  test('does not hold after any single flipped bit of the signature', () => {
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(verifySignature(pemOf(publicKey), bytes, flipped)).toBe(false);
    }
  });
});

describe('a public key', () => {
  test('has the same fingerprint however its PEM is wrapped', () => {
    const pem = pemOf(pair().publicKey);
    const rewrapped = pem.replaceAll('\n', '\r\n').replace(/^/, 'subject: a comment before it\r\n');
    expect(fingerprintOf(rewrapped)).toBe(fingerprintOf(pem));
  });

  test.each([
    ['a private key', pair().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['another curve', pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['another algorithm', pemOf(generateKeyPairSync('ed25519').publicKey)],
    ['text', 'hello'],
    ['nothing', ''],
  ])('that is %s is refused', (_, pem) => {
    expect(() => fingerprintOf(pem)).toThrow(NotAPublicKey);
  });
});
